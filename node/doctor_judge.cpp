#include "node/doctor.hpp"
#include "node/open_files.hpp"
#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

using namespace std::chrono_literals;

constexpr auto sync_slow = 20ms;       // Each durable answer waits for one.
constexpr auto sync_suspicious = 15us; // No disk that writes is so fast.
constexpr std::chrono::sys_seconds first_release = std::chrono::sys_days{
    std::chrono::year{2025} / 1 / 1}; // Before this the program was not there.

std::string megabytes(std::uint64_t x) { return std::to_string(x >> 20) + " MiB"; }

} // namespace

checkup judge_sync(std::chrono::microseconds median) {
  auto what = "a write is durable after " + std::to_string(median.count()) + " us (median)";
  if (median >= sync_slow)
    return {"disk", health::odd, what,
            "each durable answer takes so long; put the data directory on an SSD"};
  if (median <= sync_suspicious)
    return {"disk", health::odd, what,
            "that is faster than disks are: this may be memory, or a cache that a power failure "
            "empties"};
  return {"disk", health::good, what, {}};
}

checkup judge_clock(std::chrono::sys_seconds now, std::chrono::sys_seconds newest,
                    bool is_synchronized) {
  if (now < first_release)
    return {"clock", health::bad, "the clock is before 2025", "set it, e.g. by systemd-timesyncd"};
  if (newest > now + 1min)
    return {
        "clock", health::bad,
        "files of the data directory are "
            + std::to_string(std::chrono::duration_cast<std::chrono::minutes>(newest - now).count())
            + " min in the future",
        "the clock went back: set it; new jobs get times that do not go back"};
  if (!is_synchronized)
    return {"clock", health::odd, "the clock is not kept by NTP",
            "timers and times in events follow it; start systemd-timesyncd or chrony"};
  return {"clock", health::good, "it is kept by NTP", {}};
}

checkup judge_files(std::uint64_t soft, std::uint64_t hard, const node_config& x) {
  auto needed = std::uint64_t{x.http.connections_max} + files_besides;
  auto what = std::to_string(soft) + " open files, at most " + std::to_string(hard) + "; "
              + std::to_string(needed) + " for http.connections_max and the store";
  if (hard < needed)
    return {"open files", health::odd, what,
            "LimitNOFILE=" + std::to_string(needed) + " in the service, or fewer connections"};
  return {"open files", health::good, what, {}}; // The node raises the soft limit by itself.
}

checkup judge_space(std::uint64_t free, std::uint64_t total, const node_config& x) {
  auto usual = std::min(limits::min_free_bytes_max, total / limits::min_free_part);
  auto needed = x.min_free_bytes > 0 ? x.min_free_bytes : usual;
  auto what = megabytes(free) + " of " + megabytes(total) + " are free; new jobs are refused below "
              + megabytes(needed);
  if (free <= needed)
    return {"disk space", health::bad, what, "free space, or set storage.min_free_bytes"};
  if (free < 4 * needed)
    return {"disk space", health::odd, what, "free space soon; see retention"};
  return {"disk space", health::good, what, {}};
}

} // namespace troupe::node
