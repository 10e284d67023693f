#include "storage/scrub.hpp"

#include "core/wire.hpp"

#include <algorithm>

namespace troupe::storage {

scrubber::scrubber(scrub_parts parts)
    : parts_(std::move(parts)),
      blobs_(*parts_.files, parts_.blobs),
      graphs_(*parts_.files, blobs_, parts_.graphs),
      around_{parts_.shards, graphs_, blobs_} {}

result<bool> scrubber::step(std::uint64_t bytes) {
  auto more = step_table(bytes);
  if (!more) { // Not over the same row for ever.
    next_table();
    return more.error();
  }
  if (*more || next_table())
    return true;
  std::scoped_lock lock{mutex_};
  ++state_.passes;
  return false;
}

/// Goes to the next part of a table, or table; false if that is the first one again.
bool scrubber::next_table() {
  place_.clear();
  if (++shard_ < parts_.shards)
    return true;
  shard_ = 0;
  at_ = (at_ + 1) % walked.size();
  return at_ != 0;
}

/// Keys are collected in one short transaction; each is then looked at in its own.
result<bool> scrubber::step_table(std::uint64_t bytes) {
  core::shard_id shard{shard_};
  for (std::uint64_t seen = 0; seen < bytes;) {
    core::bytes key;
    status row;
    {
      auto reader = parts_.tables->read();
      if (!reader)
        return reader.error();
      auto prefix = keys::shard(shard);
      auto cursor = (*reader)->cursor(walked[at_]);
      auto there = cursor->seek(place_.empty() ? prefix : place_);
      if (!there && !cursor->at_damaged())
        return there.error();
      if ((there && !*there) || !keys::starts_with(cursor->key(), prefix))
        return false;
      key.assign(cursor->key().begin(), cursor->key().end());
      row = there ? status{} : status{there.error()};
    }
    place_ = key;
    place_.push_back(0); // The least key above it: what is damaged is passed, too.
    if (auto checked = check(key, std::move(row), seen); !checked)
      return checked.error();
  }
  return true;
}

/// `row`: whether the row itself could be read.
status scrubber::check(core::byte_view key, status row, std::uint64_t& bytes) {
  finding_list found;
  tables_summary sum;
  auto is_job = walked[at_] != table::graphs;
  auto checked = is_job ? check_job(walked[at_], keys::id_in(key), sum, found) : std::move(row);
  if (!is_job)
    check_graph(key, sum, found);
  auto damaged = checked.code() == ec::journal_corrupt; // A row of it has a wrong checksum.
  if (damaged)
    found.add(finding_kind::row_damaged, row_text(walked[at_], key), checked.error().detail,
              is_job ? keys::id_in(key) : job_id{});
  bytes += std::max<std::uint64_t>(sum.bytes, 1);
  tell(found);
  std::scoped_lock lock{mutex_};
  state_.jobs += sum.jobs;
  state_.bytes += sum.bytes;
  return damaged ? status{} : checked;
}

void scrubber::check_graph(core::byte_view key, tables_summary& sum, finding_list& found) {
  namespace_id ns{};
  graph_id id;
  core::reader{key.subspan(sizeof(core::shard_id))}(ns, id);
  auto size = blobs_.check(ns, id.sha256);
  sum.bytes = size ? *size : 0;
  if (!size)
    found.add(size.code() == ec::blob_missing ? finding_kind::graph_missing
                                              : finding_kind::graph_damaged,
              row_text(table::graphs, key), size.error().detail);
}

/// A job may be deleted, and its values with it, while it is looked at: what seems wrong has to
/// seem so twice.
status scrubber::check_job(table in, job_id id, tables_summary& sum, finding_list& found) {
  for (int look = 0; look < 2; ++look) {
    auto reader = parts_.tables->read();
    if (!reader)
      return reader.error();
    snapshot_read from{**reader, core::shard_id{shard_}};
    sum = {};
    found = {};
    if (auto checked = check_one_job(from, in, id, around_, sum, found); !checked)
      return checked;
    if (auto checked = check_values(from, id, sum, found); !checked)
      return checked;
    if (found.empty())
      break;
  }
  return {};
}

status scrubber::check_values(const snapshot_read& from, job_id id, tables_summary& sum,
                              finding_list& found) {
  auto row = from.row(id);
  if (!row || !*row)
    return row ? status{} : status{row.error()};
  for (auto& name : (*row)->blobs) {
    auto size = blobs_.check((*row)->ns, name);
    if (size)
      sum.bytes += *size;
    else if (size.code() != ec::blob_missing) // That was told with the job.
      found.add(finding_kind::blob_damaged, blobs_.path_of((*row)->ns, name).string(),
                size.error().detail, id);
  }
  return {};
}

void scrubber::tell(const finding_list& found) {
  if (found.empty())
    return;
  {
    std::scoped_lock lock{mutex_};
    state_.findings += found.count();
  }
  if (parts_.report)
    for (auto& x : found.kept())
      parts_.report(x);
}

scrub_state scrubber::state() const {
  std::scoped_lock lock{mutex_};
  return state_;
}

void scrubber::start() {
  thread_ = own_thread([this](const std::stop_token& stop) { run(stop); });
}

void scrubber::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
}

void scrubber::run(const std::stop_token& stop) {
  using clock = std::chrono::steady_clock;
  auto begun = clock::now();
  auto rest = [&](clock::time_point until) {
    std::unique_lock lock{mutex_};
    woken_.wait_until(lock, stop, until, [] { return false; });
  };
  while (!stop.stop_requested()) {
    rest(clock::now() + std::chrono::seconds{1});
    if (stop.stop_requested())
      return;
    auto more = step(parts_.bytes_per_second);
    {
      std::scoped_lock lock{mutex_};
      state_.trouble = more ? status{} : status{more.error()};
    }
    if (!more && parts_.report)
      parts_.report({finding_kind::file_damaged, "the snapshot", more.error().detail, {}});
    if (more && *more)
      continue;
    rest(begun + parts_.pass_min);
    begun = clock::now();
  }
}

} // namespace troupe::storage
