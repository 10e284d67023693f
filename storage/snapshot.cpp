#include "storage/snapshot.hpp"

#include "core/wire.hpp"
#include "storage/snapshot_jobs.hpp"
#include "troupe/limits.hpp"

#include <cassert>

namespace troupe::storage {

namespace {

using message_spaces = std::map<std::pair<core::shard_id, std::uint64_t>, namespace_id>;

/// What lies in the outbox, one row for each message.
status write_outbox(table_writer& to, core::shard_id shard, core::shard_id peer,
                    const core::shard_link& before, const core::shard_link& after,
                    const message_spaces& spaces) {
  auto& now = after.unacknowledged;
  auto first = now.empty() ? after.sent + 1 : now.front().sequence;
  for (auto& x : before.unacknowledged)
    if (x.sequence < first)
      if (auto gone = to.erase(table::links, keys::outbox(shard, peer, x.sequence)); !gone)
        return gone.error();
  for (auto& x : now)
    if (x.sequence > before.sent)
      if (auto put = to.put(table::links, keys::outbox(shard, peer, x.sequence),
                            outbox_row(spaces.at({peer, x.sequence}), x.body));
          !put)
        return put;
  return to.put(table::links, keys::peer(shard, peer), encode(after));
}

status write_links(table_writer& to, const snapshot_read& old, const overlay& window) {
  if (window.links().empty())
    return {};
  auto before = old.links();
  if (!before)
    return before.error();
  auto after = *before;
  message_spaces spaces;
  for (auto& at : window.links()) {
    auto r = window.record_at(at);
    if (!r)
      return r.error();
    if (auto sent = std::get_if<core::message_sent>(&(*r)->body))
      spaces.try_emplace({sent->to, sent->sequence}, (*r)->ns);
    core::apply(after, **r);
  }
  for (auto& [peer, link] : after.peers)
    if (auto& was = before->peers[peer]; was != link || link == core::shard_link{})
      if (auto written = write_outbox(to, old.shard(), peer, was, link, spaces); !written)
        return written;
  return {};
}

status write_own_rows(table_writer& to, core::shard_id shard, const overlay& window) {
  for (auto& [name, x] : window.rows()) {
    auto key = keys::row(shard, name);
    if (!x.content) {
      if (auto gone = to.erase(table::rows, key); !gone)
        return gone.error();
      continue;
    }
    auto r = window.record_at(*x.content);
    if (!r)
      return r.error();
    if (auto put = to.put(table::rows, key, std::get<core::row_written>((*r)->body).content); !put)
      return put;
  }
  return {};
}

/// Keys of requests whose day is over, the oldest first; the rest goes with the next window.
status purge_requests(table_writer& to, core::shard_id shard, core::shard_time now) {
  auto prefix = keys::expiries(shard);
  auto today = day_of(now);
  std::vector<core::bytes> over;
  auto walked = each_row(
      to, table::idempotency, prefix, prefix,
      [&](core::byte_view key, core::byte_view) -> result<bool> {
        std::uint32_t day = 0;
        core::reader{key.subspan(prefix.size())}(day);
        if (day >= today || over.size() >= limits::idempotency_purge_max)
          return false;
        over.emplace_back(key.begin(), key.end());
        return true;
      },
      true);
  if (!walked)
    return walked;
  for (auto& key : over) {
    auto request = keys::request_of_expiry(key);
    if (auto gone = to.erase(table::idempotency, request); !gone)
      return gone.error();
    if (auto gone = to.erase(table::idempotency, key); !gone)
      return gone.error();
  }
  return {};
}

status write_meta(table_writer& to, core::shard_id shard, shard_meta meta, const overlay& window) {
  auto& newest = window.batches().back();
  meta.applied = newest.at;
  meta.epoch = newest.epoch;
  meta.time = std::max(meta.time, newest.time);
  meta.level = std::max(meta.level, window.feature_level());
  meta.newest = later(meta.newest, window.newest());
  return to.put(table::meta, keys::meta(shard), encode(meta));
}

/// Takes in what of the window is not applied.
status apply_shard(table_writer& to, const shard_window& x) {
  snapshot_read old{to, x.shard};
  auto meta = old.meta();
  if (!meta)
    return meta.error();
  overlay window;
  for (auto& batch : x.batches)
    if (batch.at > meta->applied)
      if (auto added = window.add(batch); !added)
        return added;
  if (window.batches().empty())
    return {};
  assert(window.batches().front().at == meta->applied + 1);
  if (auto written = write_jobs(to, x.shard, window); !written)
    return written;
  if (auto written = write_links(to, old, window); !written)
    return written;
  if (auto written = write_own_rows(to, x.shard, window); !written)
    return written;
  if (auto purged = purge_requests(to, x.shard, window.batches().back().time); !purged)
    return purged;
  return write_meta(to, x.shard, *meta, window);
}

status write_seen(table_writer& to, const journal_seen& x) {
  return x.newest_segment == 0 ? status{} : to.put(table::meta, keys::newest_segment(), encode(x));
}

} // namespace

status apply_windows(table_store& to, std::span<const shard_window> windows,
                     const apply_options& options) {
  return update(to, [&](table_writer& transaction) -> status {
    for (auto& x : windows)
      if (auto applied = apply_shard(transaction, x); !applied)
        return applied;
    if (auto written = write_seen(transaction, options.seen); !written)
      return written;
    if (options.before_commit)
      options.before_commit();
    return {};
  });
}

} // namespace troupe::storage
