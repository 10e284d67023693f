#include "storage/disk_guard.hpp"

#include "core/admission.hpp"
#include "storage/own_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace troupe::storage {

namespace {

constexpr std::uint64_t critical_part = 4; ///< Of `min_free_bytes`: then the reserve is given up.
constexpr std::uint64_t margin_part = 8;   ///< More than `min_free_bytes`: then jobs come again.
constexpr const char* reserve_name = "RESERVE";

std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

std::uint64_t default_min_free(std::uint64_t total) {
  return std::min(limits::min_free_bytes_max, total / limits::min_free_part);
}

} // namespace

std::uint64_t disk_state::needed_bytes() const noexcept {
  auto margin = admits ? 0 : min_free_bytes / margin_part;
  return min_free_bytes + margin + minus(reserve_bytes_goal, reserve_bytes);
}

disk_guard::disk_guard(const data_dir& directory, const disk_guard_options& options)
    : files_(directory.files()),
      directory_(directory.path()),
      reserve_(directory.path() / reserve_name),
      options_(options),
      started_(std::chrono::steady_clock::now()) {}

result<std::shared_ptr<disk_guard>> disk_guard::open(const data_dir& directory,
                                                     const disk_guard_options& options) {
  std::shared_ptr<disk_guard> made{new disk_guard{directory, options}};
  disk_space found;
  if (int failed = made->files_.space(made->directory_, found); failed < 0)
    return os_error("examine the file system of", made->directory_, failed);
  auto& state = made->state_;
  state.min_free_bytes =
      options.min_free_bytes != 0 ? options.min_free_bytes : default_min_free(found.total);
  state.reserve_bytes_goal = std::min(options.reserve_bytes, state.min_free_bytes);
  if (file_about reserve; made->files_.about(made->reserve_, reserve) == 0)
    state.reserve_bytes = reserve.size;
  made->look();
  if (options.own_thread)
    made->thread_ = own_thread([x = made.get()](const std::stop_token& stop) { x->run(stop); });
  return made;
}

disk_guard::~disk_guard() {
  thread_.request_stop();
  if (thread_.joinable())
    thread_.join();
}

disk_state disk_guard::state() const {
  std::scoped_lock lock{mutex_};
  auto x = state_;
  x.admits = admits();
  return x;
}

void disk_guard::run(const std::stop_token& stop) {
  std::unique_lock lock{waiting_};
  while (!ended_.wait_for(lock, stop, limits::disk_poll, [&] { return stop.stop_requested(); })) {
    lock.unlock();
    poll();
    if (std::chrono::steady_clock::now() - started_ >= options_.reserve_delay)
      grow_reserve();
    lock.lock();
  }
}

void disk_guard::poll() {
  std::scoped_lock working{working_};
  look();
  auto now = state();
  if (now.free_bytes < now.min_free_bytes / critical_part)
    release();
}

bool disk_guard::make_room() {
  std::scoped_lock working{working_};
  auto held = state().reserve_bytes;
  {
    std::scoped_lock lock{mutex_};
    full_until_ = std::chrono::steady_clock::now() + options_.full_hold;
  }
  release();
  look();
  return state().reserve_bytes < held;
}

status disk_guard::retry(const std::function<status()>& attempt, std::chrono::milliseconds wait,
                         const std::function<bool()>& give_up) {
  auto begun = std::chrono::steady_clock::now();
  auto over = [&] {
    auto waited = std::chrono::steady_clock::now() - begun;
    return no_waits_ || give_up() || std::chrono::floor<std::chrono::milliseconds>(waited) >= wait;
  };
  for (;;) {
    auto done = attempt();
    if (done.code() != ec::no_space)
      return done;
    if (make_room())
      continue;
    if (over())
      return done;
    std::unique_lock lock{waiting_};
    ended_.wait_for(lock, limits::disk_poll, over);
  }
}

void disk_guard::end_waits() {
  {
    std::scoped_lock lock{waiting_};
    no_waits_ = true;
  }
  ended_.notify_all();
}

/// Reads what is free. When little is, new jobs are refused, until clearly more is; the reserve
/// that is still to be made is not theirs.
void disk_guard::look() {
  disk_space found;
  if (files_.space(directory_, found) < 0)
    return; // What was known still stands.
  auto before = admits();
  {
    std::scoped_lock lock{mutex_};
    state_.free_bytes = found.free;
    state_.total_bytes = found.total;
    auto least = state_.min_free_bytes;
    if (!before)
      least += least / margin_part;
    bool full = std::chrono::steady_clock::now() < full_until_;
    admits_.store(!full && spendable() >= least, std::memory_order_relaxed);
  }
  tell(before);
}

/// Says what has changed.
void disk_guard::tell(bool before) const {
  if (!options_.report || before == admits())
    return;
  auto now = state();
  core::pressure x;
  x.space = now.admits;
  x.free_bytes = now.free_bytes;
  x.needed_bytes = now.needed_bytes();
  auto space = core::space_for_jobs(x);
  options_.report(directory_.string() + ": "
                  + (space ? "the disk has room again, new jobs are taken" : space.error().detail));
}

/// With the lock.
std::uint64_t disk_guard::spendable() const {
  return minus(state_.free_bytes, minus(state_.reserve_bytes_goal, state_.reserve_bytes));
}

void disk_guard::release() {
  int failed = files_.unlink(reserve_);
  if (failed < 0 && failed != -ENOENT)
    return;
  std::scoped_lock lock{mutex_};
  state_.reserve_bytes = 0;
}

void disk_guard::grow_reserve() {
  std::scoped_lock working{working_};
  auto now = state();
  auto missing = minus(now.reserve_bytes_goal, now.reserve_bytes);
  if (missing == 0 || !now.admits)
    return;
  const core::bytes zeros(std::min(missing, limits::reserve_step_bytes));
  auto made = file::open(files_, reserve_, O_WRONLY | O_CREAT);
  auto done = made ? made->write(zeros, now.reserve_bytes) : status{made.error()};
  if (done)
    done = made->sync();
  if (done) {
    std::scoped_lock lock{mutex_};
    state_.reserve_bytes += zeros.size();
  } else if (done.code() == ec::no_space) {
    release();
  }
}

} // namespace troupe::storage
