#pragma once

#include "storage/data_pin.hpp"
#include "storage/disk_guard.hpp"
#include "storage/journal_start.hpp"
#include "storage/segment_file.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace troupe::storage {

/// How large segments are to be: each twice as large as the one before, between the two. On a disk
/// that is nearly full they are smaller.
struct segment_sizes {
  std::uint32_t first = 0, max = 0; ///< Bytes; multiples of `segment_grain_bytes`.

  std::uint32_t of(std::uint64_t number) const noexcept;
};

/// Segments that hold no batch that is needed, by number, with their sizes.
struct segment_stock {
  using numbered = std::map<std::uint64_t, std::uint32_t>;

  numbered ready;      ///< Prepared, not yet used.
  numbered spares;     ///< Old ones that wait to be written with zeros again.
  numbered left;       ///< Trimmed, still under their names.
  journal_start start; ///< As it stands on the disk.
};

/// Prepares segments ahead, and recycles those that were trimmed, on a thread of its own. `want`
/// and `take` are for one thread, the others for any.
class segment_supply {
public:
  /// `guard` looks at the disk before each new segment; it may be null.
  segment_supply(journal_place place, segment_sizes sizes, segment_stock stock, removal_gate gate,
                 disk_guard* guard);

  /// Stops what it is preparing.
  ~segment_supply();

  /// Prepares the segment beside the caller, if it is not there. A failure is not told here.
  void want(std::uint64_t number);

  /// The size of the segment, at least `bytes_min`; waits, or has it made once more, if it must.
  /// Errors: `no_space`, `io_failed`; `overloaded` while descriptors or memory are short: again
  /// later.
  result<std::uint32_t> take(std::uint64_t number, std::uint32_t bytes_min);

  /// Recycles `left`, which lie before `first`, once nobody holds a pin; tried again if it fails.
  void recycle(std::uint64_t first, std::map<core::shard_id, core::position> trimmed,
               const segment_stock::numbered& left);

  /// What lies in the directory beside the segments in use.
  std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

private:
  using locked = std::unique_lock<std::mutex>;

  void run(const std::stop_token& stop);
  void clear_left(locked& lock);
  void make_wanted(locked& lock, const std::stop_token& stop);
  status retire(journal_start target, segment_stock::numbered& left);
  status retire_one(std::uint64_t number, std::uint32_t size);
  result<std::uint32_t> prepare(std::uint64_t number, std::uint32_t bytes_min,
                                const std::stop_token& stop);
  std::uint32_t fitting(std::uint32_t wished, std::uint32_t least) const;
  result<std::uint32_t> reuse(std::uint64_t number, std::uint32_t bytes_min,
                              const std::stop_token& stop);
  void count_bytes();

  journal_place place_;
  segment_sizes sizes_;
  disk_guard* guard_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::atomic<std::uint64_t> bytes_ = 0;
  // Guarded by the mutex.
  segment_stock::numbered ready_, left_;
  journal_start target_;     ///< Where the journal is to begin.
  bool trimmed_ = false;     ///< `left_` has grown.
  std::uint64_t wanted_ = 0; ///< In work, 0 if nothing is.
  std::uint32_t wanted_bytes_ = 0;
  std::uint64_t spare_bytes_ = 0;
  status outcome_; ///< Of what was wanted last.
  // The worker's own.
  removal_gate gate_;
  journal_start start_; ///< As it stands on the disk.
  segment_stock::numbered spares_;
  std::jthread worker_;
};

} // namespace troupe::storage
