#include "storage/verify_index.hpp"

#include "core/wire.hpp"
#include "storage/snapshot_jobs.hpp"
#include "storage/table_row.hpp"

#include <algorithm>
#include <cstring>

namespace troupe::storage {

namespace {

core::bytes number(std::uint64_t x) {
  core::bytes value;
  value.reserve(sizeof x);
  core::writer{value}(x);
  return value;
}

bool has_own_retention(const job_row& x) { return x.spec.retention != core::duration{}; }

core::bytes end_key(core::shard_id shard, const job_row& x) {
  if (has_own_retention(x))
    return keys::with_id(keys::with_time(keys::own_end(shard), x.ended + x.spec.retention), x.id);
  return keys::with_id(keys::with_time(keys::end(shard, {x.ns, x.spec.queue}, x.state), x.ended),
                       x.id);
}

std::string job_text(const job_row& x) {
  return std::string{to_string(x.state)} + " job of queue " + x.spec.queue;
}

/// The name that a key of `idempotency` holds; nothing if it is none.
std::optional<keys::name_in> name_of(core::byte_view request) {
  core::reader in{request};
  core::shard_id shard{};
  char family = 0;
  keys::name_in name;
  in(shard, family, name.in.ns);
  while (in.ok && !in.in.empty() && in.in.front() != 0)
    name.in.queue.push_back(static_cast<char>(in.take(1).front()));
  in.take(1);
  if (!in.ok || in.in.empty())
    return std::nullopt;
  name.key.assign(in.in.begin(), in.in.end());
  return name;
}

bool same(core::byte_view a, core::byte_view b) { return std::ranges::equal(a, b); }

} // namespace

std::vector<index_entry> entries_of(core::shard_id shard, const job_row& x) {
  std::vector<index_entry> all;
  all.push_back({table::by_state, keys::with_id(keys::state(shard, x.ns, x.state), x.id), {}});
  all.push_back(
      {table::by_queue, keys::with_id(keys::queue(shard, {x.ns, x.spec.queue}), x.id), {}});
  for (auto& [key, value] : x.spec.labels)
    all.push_back({table::by_label, keys::with_id(keys::label(shard, x.ns, key, value), x.id), {}});
  if (terminal(x.state))
    all.push_back({table::by_end, end_key(shard, x), number(x.bytes)});
  return all;
}

std::uint64_t graph_hash(namespace_id ns, const graph_id& id) noexcept {
  std::uint64_t part = 0;
  std::memcpy(&part, id.sha256.data(), sizeof part);
  return part * 0x9e37'79b9'7f4a'7c15u + static_cast<std::uint32_t>(ns);
}

void index_sums::add(core::shard_id shard, const job_row& x) {
  for (auto& entry : entries_of(shard, x))
    add_row(entries[number_of(entry.in)], entry.in, entry.key, entry.value);
  auto& count = counts[{{x.ns, x.spec.queue}, x.state, has_own_retention(x)}];
  ++count.jobs;
  count.bytes += x.bytes;
  auto& graph = graphs[graph_hash(x.ns, x.spec.graph)];
  ++graph.jobs;
  graph.one = x.id;
}

status check_entries(const snapshot_read& from, const job_row& x, finding_list& to) {
  for (auto& entry : entries_of(from.shard(), x)) {
    auto found = from.tables().get(entry.in, entry.key);
    if (!found)
      return found.error();
    if (!*found)
      to.add(finding_kind::index_missing, row_text(entry.in, entry.key),
             "it is not there, but there is a " + job_text(x), x.id);
    else if (!same(**found, entry.value))
      to.add(finding_kind::index_extra, row_text(entry.in, entry.key),
             "it says something else than the job's row", x.id);
  }
  return {};
}

status check_request(const snapshot_read& from, const job_row& x, core::shard_time now,
                     finding_list& to) {
  if (x.spec.idempotency_key.empty())
    return {};
  keys::name_in name{{x.ns, x.spec.queue}, x.spec.idempotency_key};
  auto found = from.request(name);
  if (!found)
    return found.error();
  auto where = row_text(table::idempotency, keys::request(from.shard(), name));
  request_row right{x.id, x.ended, x.spec.request_digest};
  auto over = x.ended != core::shard_time{} && day_of(expires(right)) < day_of(now);
  if (!*found) {
    if (!over)
      to.add(finding_kind::request_wrong, where, "it is not there, but its job is", x.id);
  } else if ((*found)->id == x.id && !(**found == right)) {
    to.add(finding_kind::request_wrong, where, "its end or its digest is not that of its job",
           x.id);
  } else if ((*found)->id != x.id && later((*found)->id, x.id) == x.id) {
    to.add(finding_kind::request_wrong, where, "it belongs to an older job than this one", x.id);
  }
  return {};
}

status check_entry(const snapshot_read& from, table in, core::byte_view key, core::byte_view value,
                   finding_list& to) {
  auto extra = [&](std::string what, job_id id = {}) {
    to.add(finding_kind::index_extra, row_text(in, key), std::move(what), id);
  };
  if (key.size() < sizeof(core::shard_id) + keys::id_bytes) {
    extra("it is too short for an entry");
    return {};
  }
  auto id = keys::id_in(key);
  auto row = from.row(id);
  if (!row)
    return row.error();
  if (!*row) {
    extra("there is no such job", id);
    return {};
  }
  auto all = entries_of(from.shard(), **row);
  auto fits = [&](auto& x) { return x.in == in && same(x.key, key) && same(x.value, value); };
  if (std::ranges::none_of(all, fits))
    extra("the job is a " + job_text(**row) + ", which this entry does not say", id);
  return {};
}

status check_request_row(const snapshot_read& from, core::byte_view key, core::byte_view value,
                         finding_list& to) {
  auto wrong = [&](std::string what, job_id id = {}) {
    to.add(finding_kind::request_wrong, row_text(table::idempotency, key), std::move(what), id);
    return status{};
  };
  auto expiry = keys::starts_with(key, keys::expiries(from.shard()));
  auto request = expiry ? keys::request_of_expiry(key) : core::bytes(key.begin(), key.end());
  auto name = name_of(request);
  if (!name)
    return wrong("its key cannot be read");
  auto found = from.request(*name);
  if (!found)
    return found.code() == ec::journal_corrupt ? wrong(found.error().detail)
                                               : status{found.error()};
  if (!*found)
    return wrong("there is no request that it stands for");
  auto& x = **found;
  auto ended = x.ended != core::shard_time{};
  if (expiry) {
    auto right = ended && same(keys::expiry(from.shard(), day_of(expires(x)), *name), key);
    return right && value.empty() ? status{} : wrong("its request goes on another day", x.id);
  }
  if (ended) {
    auto kept = from.tables().get(table::idempotency,
                                  keys::expiry(from.shard(), day_of(expires(x)), *name));
    if (!kept)
      return kept.error();
    if (!*kept)
      return wrong("nothing says on which day it goes", x.id);
  }
  auto row = from.row(x.id);
  if (!row)
    return row.error();
  if (!*row)
    return ended ? status{} : wrong("there is no such job", x.id);
  auto& spec = (*row)->spec;
  auto fits = (*row)->ns == name->in.ns && spec.queue == name->in.queue
              && spec.idempotency_key == name->key && spec.request_digest == x.digest
              && (*row)->ended == x.ended;
  return fits ? status{} : wrong("its job was made for another request", x.id);
}

} // namespace troupe::storage
