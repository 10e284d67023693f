#pragma once

#include "node/console.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe::node {

inline constexpr std::uint16_t dev_port = 7700; ///< Or one of the next, if it is taken.
inline constexpr std::uint16_t dev_ports_tried = 100;
inline constexpr std::size_t dev_keys_max = 5; ///< Of earlier starts and this one.

struct dev_options {
  std::string data = ".troupe";
  std::optional<std::uint16_t> port; ///< 0: any free one.
};

/// `troupe dev`: a node for trying things out. It listens on loopback, runs vertices of every kind,
/// makes and prints a key, has run a sample graph, and says what to try. Runs until SIGINT or
/// SIGTERM; returns the exit code.
int dev(console& to, const dev_options& options);

} // namespace troupe::node
