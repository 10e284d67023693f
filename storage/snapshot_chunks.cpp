#include "storage/snapshot_chunks.hpp"

#include "core/wire.hpp"
#include "storage/snapshot_read.hpp"
#include "troupe/limits.hpp"

namespace troupe::storage {

namespace {

/// A chunk that is being filled.
struct open_chunk {
  std::uint64_t first = 0;
  core::bytes content;
};

/// The job's last chunk if it is small, or an empty one.
result<open_chunk> last_chunk(table_writer& to, core::shard_id shard, job_id id,
                              std::uint64_t first) {
  open_chunk x{first, {}};
  if (first == 0)
    return x;
  auto cursor = to.cursor(table::chunks);
  auto there = cursor->seek_before(keys::chunk(shard, id, first));
  if (!there)
    return there.error();
  auto prefix = keys::job(shard, id);
  if (!*there || !keys::starts_with(cursor->key(), prefix)
      || cursor->value().size() >= limits::chunk_bytes_merged)
    return x;
  core::reader{cursor->key().subspan(prefix.size())}(x.first);
  x.content.assign(cursor->value().begin(), cursor->value().end());
  return x;
}

} // namespace

status append_records(table_writer& to, core::shard_id shard, job_id id, std::uint64_t first,
                      const overlay& window, const overlay::part& part) {
  auto chunk = last_chunk(to, shard, id, first);
  if (!chunk)
    return chunk.error();
  auto number = first;
  auto put = [&] {
    return to.put(table::chunks, keys::chunk(shard, id, chunk->first), chunk->content);
  };
  for (auto& at : part.places) {
    auto record = window.bytes_at(at);
    if (!chunk->content.empty()
        && chunk->content.size() + record.size() > limits::chunk_bytes_max) {
      if (auto done = put(); !done)
        return done;
      *chunk = {number, {}};
    }
    chunk->content.insert(chunk->content.end(), record.begin(), record.end());
    ++number;
  }
  return put();
}

status erase_records(table_writer& to, core::shard_id shard, job_id id) {
  auto prefix = keys::job(shard, id);
  std::vector<core::bytes> all;
  auto walked = each_row(
      to, table::chunks, prefix, prefix,
      [&](core::byte_view key, core::byte_view) -> result<bool> {
        all.emplace_back(key.begin(), key.end());
        return true;
      },
      true);
  if (!walked)
    return walked;
  for (auto& key : all)
    if (auto gone = to.erase(table::chunks, key); !gone)
      return gone.error();
  return {};
}

} // namespace troupe::storage
