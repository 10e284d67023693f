#pragma once

#include <cstddef>
#include <cstdint>

namespace troupe::node {

/// Lets this process have as many open files as the system allows it, but not the programs that it
/// runs; if the system does not, all stays.
void raise_open_files() noexcept;

/// How many this process may have now; the greatest number if nothing says.
std::uint64_t open_files_max() noexcept;

inline constexpr std::uint64_t files_besides = 1024; ///< Of the store, processes and logs.

/// How many of `wanted` connections a process that may have `files` open can hold beside all else:
/// `files_besides` are left, or half if there are so few. Pure.
constexpr std::size_t connections_within(std::uint64_t files, std::size_t wanted) noexcept {
  auto besides = files / 2 < files_besides ? files - files / 2 : files_besides;
  return wanted < files - besides ? wanted : static_cast<std::size_t>(files - besides);
}

} // namespace troupe::node
