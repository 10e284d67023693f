#include "actors/shard_log.hpp"

#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::actors {

/// Time that is ahead of the wall clock is slower by one part in so many: after a step back by an
/// hour the clock has caught up after 16.
constexpr int clock_slew = 16;

shard_log::shard_log(shard_log_parts parts, const storage::opened& found)
    : parts_(std::move(parts)), epoch_(found.epoch), durable_(found.head), head_(found.head) {}

core::shard_time shard_log::now() {
  auto wall = parts_.wall_clock();
  auto steady = parts_.steady_clock();
  std::scoped_lock lock{mutex_};
  auto passed = std::chrono::floor<core::duration>(steady - since_);
  auto even = base_ + passed - passed / clock_slew;
  if (wall >= even) {
    base_ = even = wall;
    since_ = steady;
  }
  return time_ = std::max(time_, even);
}

void shard_log::saw(core::shard_time time) {
  std::scoped_lock lock{mutex_};
  ++times_seen_;
  if (time <= time_)
    return;
  time_ = base_ = time;
  since_ = parts_.steady_clock();
}

std::uint64_t shard_log::times_seen() const {
  std::scoped_lock lock{mutex_};
  return times_seen_;
}

core::position shard_log::append(const core::record_group& group, output out) {
  core::bytes encoded;
  for (auto& r : group)
    core::encode(r, encoded);
  return append(encoded, std::move(out));
}

core::position shard_log::append(core::byte_view group, output out) {
  touch("before_append");
  std::optional<storage::batch> next;
  core::position at;
  {
    std::scoped_lock lock{mutex_};
    add_bytes(group);
    at = head_;
    if (out)
      held_.push_back({at, std::move(out)});
    if (!failed_)
      wake();
    next = take_next();
  }
  touch("after_append");
  if (next)
    write(std::move(*next));
  return at;
}

/// Puts the group into the batch that gathers, or the next one if it is full.
void shard_log::add_bytes(core::byte_view group) {
  if (batches_.empty() || batches_.back().records.size() >= limits::batch_bytes_max / 2)
    batches_.push_back({parts_.shard, epoch_, ++head_, time_, {}});
  auto& next = batches_.back();
  auto size = group.size();
  next.records.insert(next.records.end(), group.begin(), group.end());
  assert(size <= limits::record_group_bytes_max);
  if (size > limits::record_group_bytes_max && failed_)
    failed_ = error{ec::journal_failed, "a record group has " + std::to_string(size)
                                            + " bytes, allowed are "
                                            + std::to_string(limits::record_group_bytes_max)};
  gathered_ += size;
  next.time = time_;
}

/// The batch to write now, if none is being written. Call it with the lock held.
std::optional<storage::batch> shard_log::take_next() {
  if (writing_ || batches_.empty() || !failed_)
    return {};
  writing_ = true;
  auto next = std::move(batches_.front());
  batches_.pop_front();
  return next;
}

void shard_log::write(storage::batch next) {
  touch("before_write");
  auto kept = next;
  auto began =
      parts_.observer ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point{};
  parts_.journal->append(std::move(next), [self = shared_from_this(), kept = std::move(kept),
                                           began](const status& outcome) mutable {
    if (outcome)
      self->observe(kept, began);
    self->written(std::move(kept), outcome);
  });
}

void shard_log::observe(const storage::batch& x,
                        std::chrono::steady_clock::time_point began) const {
  if (!parts_.observer)
    return;
  auto took = std::chrono::steady_clock::now() - began;
  auto records = core::places_in(x.records, false);
  parts_.observer->batch_written({records ? records->size() : 0, x.records.size(), took});
}

/// The journal's answer. The view has the batch before any output that reflects it leaves.
void shard_log::written(storage::batch kept, const status& outcome) {
  touch("after_sync");
  auto at = kept.at;
  auto size = kept.records.size();
  if (outcome)
    parts_.view->add(std::move(kept));
  std::optional<storage::batch> next;
  {
    std::scoped_lock lock{mutex_};
    writing_ = false;
    if (outcome) {
      durable_ = at;
      gathered_ -= size;
    } else if (failed_) {
      failed_ = outcome;
    }
    next = take_next();
    wake();
  }
  if (next)
    write(std::move(*next)); // First, so that the disk does not wait for the answers.
}

void shard_log::hold(core::position at, output out) {
  std::scoped_lock lock{mutex_};
  auto place = std::upper_bound(held_.begin(), held_.end(), at,
                                [](auto x, auto& held) { return x < held.at; });
  held_.insert(place, {at, std::move(out)});
  if (at <= durable_ || !failed_)
    wake();
}

core::position shard_log::head() const {
  std::scoped_lock lock{mutex_};
  return head_;
}

core::position shard_log::durable() const {
  std::scoped_lock lock{mutex_};
  return durable_;
}

std::size_t shard_log::gathered_bytes() const {
  std::scoped_lock lock{mutex_};
  return gathered_;
}

bool shard_log::settled() const {
  std::scoped_lock lock{mutex_};
  return !writing_ && (batches_.empty() || !failed_);
}

status shard_log::state() const {
  std::scoped_lock lock{mutex_};
  return failed_;
}

void shard_log::release() {
  std::unique_lock lock{mutex_};
  woken_ = false;
  if (std::exchange(releasing_, true))
    return;
  struct end {
    bool& flag;
    ~end() { flag = false; }
  } leave{releasing_}; // Before the lock is given up, also when an output throws.
  while (!held_.empty() && (held_.front().at <= durable_ || !failed_)) {
    auto next = std::move(held_.front());
    held_.pop_front();
    auto outcome = next.at <= durable_ ? status{} : failed_;
    lock.unlock();
    struct relock {
      std::unique_lock<std::mutex>& lock;
      ~relock() { lock.lock(); }
    } again{lock};
    touch("before_release");
    next.out(outcome);
    touch("after_release");
  }
}

void shard_log::close() {
  fail(error{ec::not_ready, "the runtime is closed"});
  release();
  std::scoped_lock lock{mutex_};
  parts_.journal.reset();
}

void shard_log::fail(const status& why) {
  std::scoped_lock lock{mutex_};
  if (failed_)
    failed_ = why;
  wake();
}

/// Asks once for a `release`. Call it with the lock held.
void shard_log::wake() {
  if (!std::exchange(woken_, true))
    parts_.wake();
}

void shard_log::touch(const char* name) const {
  if (parts_.at)
    parts_.at(name);
}

} // namespace troupe::actors
