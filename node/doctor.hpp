#pragma once

#include "node/security_commands.hpp"

#include <string>
#include <vector>

namespace troupe::node {

/// How one thing is, from good to bad.
enum class health : std::uint8_t { good, odd, bad };

/// One thing that was looked at.
struct checkup {
  std::string of; ///< `data directory`, `clock`, …
  health is{};
  std::string what; ///< What was found, with numbers.
  std::string next; ///< What to do; empty if it is good.
};

/// Looks at the machine as a node with this configuration would need it. Writes and removes one
/// small file in the data directory if that is there. Changes nothing else. `file`: where the
/// configuration is from, if it is from a file.
std::vector<checkup> examine(const node_config& x, const std::string& file = {});

/// `troupe doctor`. The exit code is 1 if anything is bad.
int doctor(console& to, const security_places& at, format how);

/// What a time that a write to the disk took, in the median, says of the disk. Pure.
checkup judge_sync(std::chrono::microseconds median);
/// Whether the clock can be right. `newest`: of what is stored already; zero: nothing is. Pure.
checkup judge_clock(std::chrono::sys_seconds now, std::chrono::sys_seconds newest,
                    bool is_synchronized);
/// Whether so many files may be open. Pure.
checkup judge_files(std::uint64_t soft, std::uint64_t hard, const node_config& x);
/// Whether the space suffices. Pure.
checkup judge_space(std::uint64_t free, std::uint64_t total, const node_config& x);

} // namespace troupe::node
