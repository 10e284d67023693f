#include "storage/snapshot_read.hpp"

#include "storage/table_map.hpp"
#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::storage {

namespace {

error unreadable(const char* what, core::shard_id shard) {
  return {ec::journal_corrupt, std::string{what} + " of shard "
                                   + std::to_string(core::index_of(shard))
                                   + " in the snapshot cannot be read; run `troupe verify`"};
}

void read(core::reader& in, shard_meta& x) { in(x.applied, x.epoch, x.time, x.level, x.newest); }
void read(core::reader& in, job_count& x) { in(x.jobs, x.bytes); }
void read(core::reader& in, graph_use& x) { in(x.first, x.jobs); }
void read(core::reader& in, request_row& x) {
  in(x.id, x.ended);
  x.digest.assign(in.in.begin(), in.in.end());
  in.in = {};
}

/// Reads a whole value as one of the above.
template <class T>
result<T> value_of(core::byte_view data, const char* what, core::shard_id shard) {
  core::reader in{data};
  T x;
  read(in, x);
  if (!in.ok || !in.in.empty())
    return unreadable(what, shard);
  return x;
}

template <class T>
result<std::optional<T>> find(table_reader& from, table in, const core::bytes& key,
                              const char* what, core::shard_id shard) {
  auto found = from.get(in, key);
  if (!found)
    return found.error();
  if (!*found)
    return std::optional<T>{};
  auto x = value_of<T>(**found, what, shard);
  if (!x)
    return x.error();
  return std::optional<T>{std::move(*x)};
}

template <class T>
result<T> or_none(result<std::optional<T>> x) {
  if (!x)
    return x.error();
  return *x ? std::move(**x) : T{};
}

/// Shard, namespace, queue and its end, state, flag.
bool read_count_key(core::byte_view key, count_key& x) {
  core::reader in{key};
  core::shard_id shard{};
  in(shard, x.in.ns);
  while (in.ok && !in.in.empty() && in.in.front() != 0)
    x.in.queue.push_back(static_cast<char>(in.take(1).front()));
  in.take(1);
  in(x.state, x.own);
  return in.ok && in.in.empty();
}

} // namespace

core::shard_time expires(const request_row& x) noexcept {
  return x.ended + limits::idempotency_keep;
}

core::bytes encode(const shard_meta& x) {
  core::bytes out;
  core::writer{out}(x.applied, x.epoch, x.time, x.level, x.newest);
  return out;
}

core::bytes encode(const request_row& x) {
  core::bytes out;
  core::writer{out}(x.id, x.ended);
  out.insert(out.end(), x.digest.begin(), x.digest.end());
  return out;
}

core::bytes encode(const job_count& x) {
  core::bytes out;
  core::writer{out}(x.jobs, x.bytes);
  return out;
}

core::bytes encode(const graph_use& x) {
  core::bytes out;
  core::writer{out}(x.first, x.jobs);
  return out;
}

core::bytes encode(const core::shard_link& x) {
  core::bytes out;
  core::writer{out}(x.sent, x.received);
  return out;
}

core::bytes outbox_row(namespace_id ns, const core::bytes& body) {
  core::bytes out;
  core::writer{out}(ns);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

namespace_id space_of_outbox_row(core::byte_view row) {
  namespace_id ns{};
  core::reader{row}(ns);
  return ns;
}

core::bytes body_of_outbox_row(core::byte_view row) {
  auto body = row.subspan(std::min(row.size(), sizeof(namespace_id)));
  return {body.begin(), body.end()};
}

result<shard_meta> snapshot_read::meta() const {
  return or_none(find<shard_meta>(*from_, table::meta, keys::meta(shard_), "the position", shard_));
}

result<std::optional<job_row>> snapshot_read::row(job_id id) const {
  auto key = keys::job(shard_, id);
  for (auto in : {table::live, table::done}) {
    auto found = from_->get(in, key);
    if (!found)
      return found.error();
    if (!*found)
      continue;
    auto row = decode_job_row(id, **found);
    if (!row)
      return row.error();
    return std::optional{std::move(*row)};
  }
  return std::optional<job_row>{};
}

status snapshot_read::records(job_id id, std::uint64_t from,
                              const std::function<bool(core::byte_view)>& each) const {
  auto cursor = from_->cursor(table::chunks);
  auto prefix = keys::job(shard_, id);
  auto behind = keys::chunk(shard_, id, from + 1);
  auto there = cursor->seek_before(behind);
  if (!there && cursor->at_damaged() && compare_keys(cursor->key(), behind) >= 0)
    there = cursor->previous(); // Not what is sought is damaged, but what stands behind it.
  for (; there && *there; there = cursor->next()) {
    if (!keys::starts_with(cursor->key(), prefix))
      break;
    std::uint64_t number = 0;
    core::reader{cursor->key().subspan(prefix.size())}(number);
    auto places = core::places_in(cursor->value(), false);
    if (!places)
      return places.error();
    if (number > from) // What a damaged page had is not there.
      return error{ec::journal_corrupt, "records of job " + to_string(id)
                                            + " are missing in the snapshot; run `troupe verify`"};
    for (auto& at : *places)
      if (number++ >= from && !each(cursor->value().subspan(at.begin, at.end - at.begin)))
        return {};
    from = std::max(from, number);
  }
  if (!there && cursor->at_damaged() && !keys::starts_with(cursor->key(), prefix))
    return {};
  return there ? status{} : status{there.error()};
}

status each_row(table_reader& from, table in, core::byte_view prefix, core::byte_view start,
                const std::function<result<bool>(core::byte_view key, core::byte_view value)>& each,
                bool past_damage) {
  auto cursor = from.cursor(in);
  auto there = cursor->seek(start);
  // A damaged row behind the last of these is nothing to them.
  auto ends = [&] { return !keys::starts_with(cursor->key(), prefix); };
  auto is_row = [&] { return there ? *there : cursor->at_damaged() && (past_damage || ends()); };
  for (; is_row(); there = cursor->next()) {
    if (ends())
      return {};
    auto more = each(cursor->key(), cursor->value());
    if (!more)
      return more.error();
    if (!*more)
      return {};
  }
  return there ? status{} : status{there.error()};
}

result<core::link_state> snapshot_read::links() const {
  core::link_state all;
  auto peers = keys::peers(shard_);
  auto walked =
      each_row(*from_, table::links, peers, peers, [&](auto key, auto value) -> result<bool> {
        core::shard_id peer{};
        core::shard_link link;
        core::reader of{key.subspan(peers.size())}, in{value};
        of(peer);
        in(link.sent, link.received);
        if (!of.ok || !in.ok)
          return unreadable("a link", shard_);
        all.peers[peer] = std::move(link);
        return true;
      });
  for (auto& [peer, link] : all.peers) {
    if (!walked)
      break;
    auto outbox = keys::outbox(shard_, peer);
    walked =
        each_row(*from_, table::links, outbox, outbox, [&](auto key, auto value) -> result<bool> {
          core::message_sent message{peer, 0, body_of_outbox_row(value)};
          core::reader{key.subspan(outbox.size())}(message.sequence);
          link.unacknowledged.push_back(std::move(message));
          return true;
        });
  }
  if (!walked)
    return walked.error();
  return all;
}

result<std::optional<request_row>> snapshot_read::request(const keys::name_in& name) const {
  return find<request_row>(*from_, table::idempotency, keys::request(shard_, name), "a request",
                           shard_);
}

result<std::optional<core::bytes>> snapshot_read::own_row(const keys::name_in& name) const {
  auto found = from_->get(table::rows, keys::row(shard_, name));
  if (!found)
    return found.error();
  if (!*found)
    return std::optional<core::bytes>{};
  return std::optional{core::bytes{(*found)->begin(), (*found)->end()}};
}

result<job_count> snapshot_read::count(const count_key& of) const {
  auto key = keys::total(shard_, of.in, of.state, of.own);
  return or_none(find<job_count>(*from_, table::totals, key, "a count", shard_));
}

result<std::optional<graph_use>> snapshot_read::graph(namespace_id ns, const graph_id& id) const {
  return find<graph_use>(*from_, table::graphs, keys::graph(shard_, ns, id), "a graph", shard_);
}

result<std::map<count_key, job_count>> snapshot_read::counts() const {
  std::map<count_key, job_count> all;
  auto prefix = keys::shard(shard_);
  auto walked =
      each_row(*from_, table::totals, prefix, prefix, [&](auto key, auto value) -> result<bool> {
        count_key of;
        auto count = value_of<job_count>(value, "a count", shard_);
        if (!count || !read_count_key(key, of))
          return unreadable("a count", shard_);
        all[of] = *count;
        return true;
      });
  if (!walked)
    return walked.error();
  return all;
}

result<journal_seen> read_journal_seen(table_reader& from) {
  auto found = from.get(table::meta, keys::newest_segment());
  if (!found)
    return found.error();
  journal_seen seen;
  if (!*found)
    return seen;
  core::reader in{**found};
  in(seen.newest_segment);
  resume_point at;
  if (in(at.segment, at.batch, at.chain); in.ok)
    seen.resume = at;
  return seen;
}

core::bytes encode(const journal_seen& x) {
  core::bytes value;
  core::writer{value}(x.newest_segment, x.resume.segment, x.resume.batch, x.resume.chain);
  return value;
}

result<std::uint64_t> newest_segment(table_store& tables) {
  auto reader = tables.read();
  if (!reader)
    return reader.error();
  auto seen = read_journal_seen(**reader);
  return seen ? result<std::uint64_t>{seen->newest_segment} : seen.error();
}

job_walk::job_walk(table_reader& from, table in, core::bytes prefix, bool newest_first,
                   bool past_damage)
    : cursor_(from.cursor(in)),
      in_(in),
      prefix_(std::move(prefix)),
      newest_first_(newest_first),
      past_damage_(past_damage) {}

status job_walk::start(std::optional<job_id> after) {
  if (newest_first_) {
    auto above = after ? keys::with_id(prefix_, *after) : keys::above(prefix_);
    auto found = cursor_->seek_before(above);
    if (!found && past_damage_ && cursor_->at_damaged() && compare_keys(cursor_->key(), above) >= 0)
      found = cursor_->previous(); // Not what is sought is damaged, but what stands behind it.
    return take(found);
  }
  if (!after)
    return take(cursor_->seek(prefix_));
  auto key = keys::with_id(prefix_, *after);
  key.push_back(0); // The least key above it.
  return take(cursor_->seek(key));
}

status job_walk::step() { return take(newest_first_ ? cursor_->previous() : cursor_->next()); }

/// Passes over keys that only begin alike.
status job_walk::take(const result<bool>& first) {
  id_.reset();
  for (auto there = first;; there = newest_first_ ? cursor_->previous() : cursor_->next()) {
    if (!there && !(past_damage_ && cursor_->at_damaged()))
      return there.error();
    if ((there && !*there) || !keys::starts_with(cursor_->key(), prefix_))
      return {};
    if (cursor_->key().size() == prefix_.size() + keys::id_bytes) {
      id_ = keys::id_in(cursor_->key());
      return {};
    }
  }
}

} // namespace troupe::storage
