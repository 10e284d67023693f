#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string_view>

namespace troupe::node {

/// What this process may use, and what it uses.
struct resource_sample {
  double cpu_seconds = 0;             ///< Of all threads, since the start.
  double cpu_cores = 1;               ///< That the process may use: by its cgroup, or all.
  std::uint64_t memory_bytes = 0;     ///< Resident.
  std::uint64_t memory_max_bytes = 0; ///< By its cgroup, or the machine's.
  std::uint64_t open_files = 0;
};

/// Where to look; tests have files of their own.
struct resource_paths {
  std::filesystem::path proc = "/proc", cgroup = "/sys/fs/cgroup";
};

/// Reads `/proc` and the cgroup (version 2, or 1 for memory). What is not there is 0, or the
/// machine's.
resource_sample read_resources(const resource_paths& paths = {});

/// User and system time of `/proc/self/stat`, in ticks of the clock. Pure.
std::optional<std::uint64_t> cpu_ticks(std::string_view stat);
/// The cores of a `cpu.max`: `200000 100000` is 2; nothing for `max`. Pure.
std::optional<double> cpu_quota(std::string_view cpu_max);
/// The value in kB behind a name in `/proc/self/status` or `/proc/meminfo`, as bytes. Pure.
std::optional<std::uint64_t> kilobytes_of(std::string_view text, std::string_view name);

/// How much of what is allowed was used since the last look.
struct resource_ratios {
  double cpu = 0;    ///< 1: all cores that the process may use, all the time.
  double memory = 0; ///< 1: all memory that it may use.
};

/// Makes ratios of samples. Thread-safe.
class usage_meter {
public:
  using clock = std::chrono::steady_clock;

  /// The first look tells no use of the processor: there is none to compare with.
  resource_ratios ratios(const resource_sample& x, clock::time_point now = clock::now());

private:
  std::mutex mutex_;
  clock::time_point at_;
  std::optional<double> cpu_seconds_; ///< At the last look.
  double cpu_ = 0;
};

} // namespace troupe::node
