#include "storage/journal_scan_parts.hpp"

#include <algorithm>
#include <fcntl.h>

namespace troupe::storage {

namespace {

/// Hands on the batches that are the next ones of their shards; counts `next` up.
status read_segment(const journal_place& place, std::uint64_t number,
                    const segment_summary& summary, journal::positions& next,
                    const journal::reader& each) {
  auto segment = segment_view::open(*place.files, place.directory, number, O_RDONLY);
  if (!segment)
    return segment.error();
  auto owner_crc = crc_of(place.owner);
  for (auto at = summary.begin; at < summary.end;) {
    auto found = batch_at(*segment, {owner_crc, number, at});
    if (!segment->failure())
      return segment->failure();
    if (!found)
      return damaged(place, number, at, "no valid batch where there was one");
    auto& x = found->header;
    at += padded_bytes(x.length);
    auto wanted = x.kind == batch_kind::records ? next.find(x.shard) : next.end();
    if (wanted == next.end() || x.at < wanted->second)
      continue;
    ++wanted->second;
    if (auto done =
            each({x.shard, x.epoch, x.at, x.time, {found->records.begin(), found->records.end()}});
        !done)
      return done;
  }
  return {};
}

/// What is to be read must not be trimmed.
status check_kept(const journal_place& place, const journal_state& state, core::shard_id shard,
                  core::position from) {
  auto trimmed = state.trimmed.find(shard);
  if (trimmed == state.trimmed.end() || from > trimmed->second)
    return {};
  return error{ec::journal_corrupt, place.directory.string() + ", shard "
                                        + std::to_string(core::index_of(shard)) + ": batch "
                                        + std::to_string(from)
                                        + " was trimmed; read it from the snapshot, or restore "
                                          "a backup"};
}

/// Whether the segment holds a batch that is to be read.
bool holds_any(const segment_summary& segment, const journal::positions& next) {
  return std::ranges::any_of(next, [&](auto& wanted) {
    auto newest = segment.newest.find(wanted.first);
    return newest != segment.newest.end() && newest->second >= wanted.second;
  });
}

} // namespace

status read_batches(const journal_place& place, const journal_state& state, journal::positions next,
                    const journal::reader& each) {
  for (auto& [shard, from] : next) {
    from = std::max<core::position>(from, 1);
    if (auto kept = check_kept(place, state, shard, from); !kept)
      return kept;
  }
  for (auto& [number, summary] : state.segments) {
    if (!holds_any(summary, next))
      continue;
    auto done = read_segment(place, number, summary, next, each);
    if (done.code() == ec::io_failed || done.code() == ec::journal_corrupt)
      if (auto start = read_start(place); start && number < start->first)
        return error{ec::not_ready, segment_path(place.directory, number).string()
                                        + " was trimmed meanwhile; look again"};
    if (!done)
      return done;
  }
  return {};
}

} // namespace troupe::storage
