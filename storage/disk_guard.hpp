#pragma once

#include "storage/data_dir.hpp"
#include "troupe/limits.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace troupe::storage {

/// What may be chosen for a disk guard.
struct disk_guard_options {
  /// New jobs are refused when less is free; 0: `limits::min_free_bytes_max` or 1 of
  /// `limits::min_free_part` of the file system, whichever is smaller.
  std::uint64_t min_free_bytes = 0;
  std::uint64_t reserve_bytes = limits::reserve_bytes_max;         ///< At most `min_free_bytes`.
  std::chrono::milliseconds reserve_delay = limits::reserve_delay; ///< After the start.
  std::chrono::milliseconds full_hold = limits::disk_full_hold;    ///< See `make_room`.
  bool own_thread = true; ///< Polls by itself, each `limits::disk_poll`.
  /// Told in text for people when new jobs begin to be refused, and when they are taken again. Any
  /// thread. May be empty.
  std::function<void(const std::string&)> report;
};

/// What a disk guard knows, for `why` and metrics.
struct disk_state {
  bool admits = true;
  std::uint64_t free_bytes = 0, total_bytes = 0; ///< Of the file system at the last poll.
  std::uint64_t min_free_bytes = 0;
  std::uint64_t reserve_bytes = 0;      ///< Held in the reserve file.
  std::uint64_t reserve_bytes_goal = 0; ///< What it is to hold.

  /// What has to be free for new jobs; a little more while they are refused.
  std::uint64_t needed_bytes() const noexcept;
};

/// Watches the file system of a data directory, so that a disk that becomes full is met by new
/// jobs and not by those that were accepted. New jobs are refused while less than
/// `min_free_bytes` would be free beside a whole reserve. The reserve, `RESERVE`, is a file of
/// written zeros: it is given up when a quarter of `min_free_bytes` is left or someone met a full
/// disk, and made again, in small steps, when there is space. Thread-safe.
class disk_guard {
public:
  /// The directory must outlive the guard. Errors: `io_failed` if the system tells nothing.
  static result<std::shared_ptr<disk_guard>> open(const data_dir& directory,
                                                  const disk_guard_options& options = {});
  ~disk_guard();

  /// Whether new jobs are accepted. Never blocks.
  bool admits() const noexcept { return admits_.load(std::memory_order_relaxed); }
  disk_state state() const;

  /// Looks at the disk once; gives up the reserve if little is free. Blocks on the disk.
  void poll();
  /// Makes the next `limits::reserve_step_bytes` of the reserve, if there is space for them.
  void grow_reserve();

  /// Someone met a full disk, whatever is said to be free: new jobs are refused for a while at
  /// least, and the reserve is given up. True if that freed anything: repeat at once.
  bool make_room();

  /// Repeats `attempt` while it answers `no_space`: at once if `make_room` freed anything, else
  /// each `limits::disk_poll`, until `wait` is over, `give_up` says so, or `end_waits` was called.
  /// For what accepted jobs must write. Blocks.
  status retry(const std::function<status()>& attempt, std::chrono::milliseconds wait,
               const std::function<bool()>& give_up);

  /// From here on nobody waits for space: the node closes.
  void end_waits();

private:
  disk_guard(const data_dir& directory, const disk_guard_options& options);

  void run(const std::stop_token& stop);
  void look();
  void release();
  std::uint64_t spendable() const;
  void tell(bool before) const;

  file_ops& files_;
  std::filesystem::path directory_, reserve_;
  disk_guard_options options_;
  std::chrono::steady_clock::time_point started_;
  std::atomic<bool> admits_ = true;
  mutable std::mutex mutex_; ///< Guards `state_`.
  std::mutex working_;       ///< One look or change of the reserve at a time.
  disk_state state_;
  std::chrono::steady_clock::time_point full_until_{}; ///< Someone met a full disk.
  std::atomic<bool> no_waits_ = false;
  std::mutex waiting_;
  std::condition_variable_any ended_;
  std::jthread thread_;
};

} // namespace troupe::storage
