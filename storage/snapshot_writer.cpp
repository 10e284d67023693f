#include "storage/snapshot_writer.hpp"

#include "storage/own_thread.hpp"

#include <algorithm>

namespace troupe::storage {

/// A share of the window for each shard.
std::vector<shard_window> snapshot_writer::windows() const {
  std::vector<shard_window> all;
  auto share = parts_.pace.window_bytes_max / std::max<std::size_t>(parts_.views.size(), 1);
  for (auto& view : parts_.views)
    if (auto batches = view->window(share); !batches.empty())
      all.push_back({view->shard(), std::move(batches)});
  return all;
}

/// What the snapshot remembers of the journal when it holds these windows.
journal_seen snapshot_writer::seen_with(const std::vector<shard_window>& all) const {
  journal::positions applied;
  for (auto& x : all)
    applied[x.shard] = x.batches.back().at;
  return {parts_.journal->use().newest_segment, parts_.journal->resume_after(applied)};
}

result<bool> snapshot_writer::step() {
  auto all = windows();
  if (all.empty())
    return false;
  touch("before_apply");
  apply_options options;
  options.seen = seen_with(all);
  options.before_commit = [this] { touch("before_commit"); };
  if (auto applied = apply_windows(*parts_.tables, all, options); !applied)
    return applied.error();
  touch("after_commit");
  for (auto& x : all)
    for (auto& view : parts_.views)
      if (view->shard() == x.shard)
        view->drop(x.batches.back().at);
  touch("after_drop");
  for (auto& x : all)
    parts_.journal->trim(x.shard, x.batches.back().at);
  touch("after_trim");
  return true;
}

void snapshot_writer::start() {
  thread_ = own_thread([this](std::stop_token stop) { run(stop); });
}

void snapshot_writer::stop() {
  if (!thread_.joinable())
    return;
  thread_.request_stop();
  thread_.join();
}

snapshot_lag snapshot_writer::lag() const {
  return {parts_.lag->bytes(), parts_.pace.lag_soft_bytes, parts_.pace.lag_hard_bytes,
          parts_.lag->records()};
}

status snapshot_writer::state() const {
  std::scoped_lock lock{mutex_};
  return state_;
}

void snapshot_writer::run(std::stop_token stop) {
  auto& pace = parts_.pace;
  while (parts_.lag->wait(stop, pace.window_bytes, pace.window_age)) {
    auto done = step();
    if (!go_on(stop, done ? status{} : status{done.error()}))
      return;
    maintain_sometimes();
  }
}

/// What only needs time is tried again after a while; anything else is the end.
bool snapshot_writer::go_on(std::stop_token stop, const status& outcome) {
  tell(outcome);
  if (outcome)
    return true;
  if (outcome.code() == ec::no_space && parts_.make_room && parts_.make_room())
    return !stop.stop_requested();
  if (outcome.code() == ec::no_space || outcome.code() == ec::overloaded)
    return parts_.lag->pause(stop, limits::snapshot_retry_wait);
  std::scoped_lock lock{mutex_};
  state_ = outcome;
  return false;
}

void snapshot_writer::maintain_sometimes() {
  auto now = std::chrono::steady_clock::now();
  if (!parts_.maintain || now - maintained_ < parts_.pace.maintain_interval)
    return;
  maintained_ = now;
  tell(parts_.maintain());
}

void snapshot_writer::tell(const status& now) {
  if (now.code() == told_.code())
    return;
  told_ = now;
  if (!now && parts_.report)
    parts_.report(now.error());
}

void snapshot_writer::touch(const char* name) const {
  if (parts_.at)
    parts_.at(name);
}

} // namespace troupe::storage
