#include "storage/blob_sweeper.hpp"

#include "storage/own_thread.hpp"

namespace troupe::storage {

status blob_sweeper::step(blob_time now) {
  for (bool more = true; more && !stopping_;) {
    auto done =
        parts_.blobs->sweep([this](const blob_store::named& named) { return mark(named); }, now);
    if (!done)
      return done.error();
    more = done->more;
    std::scoped_lock lock{mutex_};
    state_.blobs += done->blobs;
    state_.bytes += done->bytes;
  }
  std::scoped_lock lock{mutex_};
  ++state_.sweeps;
  return {};
}

/// A message leaves its sender's outbox when its receiver has recorded it. So the outboxes of all
/// shards come before all jobs: it is seen in one of the two.
status blob_sweeper::mark(const blob_store::named& named) const {
  if (parts_.settle)
    if (auto settled = parts_.settle(); !settled)
      return settled;
  for (auto& view : parts_.views)
    if (auto marked = view->each_message_blob(named); !marked)
      return marked;
  for (auto& view : parts_.views) {
    if (stopping_)
      return error{ec::not_ready, "the node closes"};
    if (auto marked = view->each_blob(named); !marked)
      return marked;
  }
  return {};
}

void blob_sweeper::start() {
  thread_ = own_thread([this](const std::stop_token& stop) { run(stop); });
}

void blob_sweeper::stop() {
  stopping_ = true;
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
}

sweep_state blob_sweeper::state() const {
  std::scoped_lock lock{mutex_};
  return state_;
}

void blob_sweeper::run(const std::stop_token& stop) {
  auto wait = parts_.interval;
  for (;;) {
    {
      std::unique_lock lock{mutex_};
      woken_.wait_for(lock, stop, wait, [] { return false; });
    }
    if (stop.stop_requested())
      return;
    auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    auto done = step(now);
    tell(done);
    wait = done ? parts_.interval : parts_.retry;
  }
}

/// A backup that holds everything is no trouble.
void blob_sweeper::tell(const status& outcome) {
  std::unique_lock lock{mutex_};
  auto changed = outcome.code() != state_.trouble.code();
  state_.trouble = outcome;
  lock.unlock();
  if (changed && !outcome && outcome.code() != ec::not_ready && parts_.report)
    parts_.report(outcome.error());
}

} // namespace troupe::storage
