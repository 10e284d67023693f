#pragma once

#include "storage/segment_file.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace troupe::storage {

/// How large segments are: each twice as large as the one before, between the two.
struct segment_sizes {
  std::uint32_t first = 0, max = 0; ///< Bytes; multiples of `segment_grain_bytes`.

  std::uint32_t of(std::uint64_t number) const noexcept;
};

/// Prepares segments ahead on a thread of its own. `want` and `take` are for one thread.
class segment_supply {
public:
  /// `ready`: the unused segments that are there, with their sizes.
  segment_supply(file_ops& files, std::filesystem::path directory, segment_sizes sizes,
                 std::map<std::uint64_t, std::uint32_t> ready);

  /// Stops what it is preparing.
  ~segment_supply();

  /// Prepares the segment beside the caller, if it is not there. A failure is not told here.
  void want(std::uint64_t number);

  /// The size of the segment, at least `bytes_min`; waits, or makes it once more, if it must.
  /// Errors: `no_space`, `io_failed`.
  result<std::uint32_t> take(std::uint64_t number, std::uint32_t bytes_min);

private:
  void run(const std::stop_token& stop);

  file_ops& files_;
  std::filesystem::path directory_;
  segment_sizes sizes_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::uint64_t, std::uint32_t> ready_;
  std::uint64_t wanted_ = 0; ///< In work, 0 if nothing is.
  std::jthread worker_;
};

} // namespace troupe::storage
