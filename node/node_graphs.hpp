#pragma once

#include "node/console.hpp"
#include "node/target.hpp"

#include <string>

/// The verbs of `troupe graphs` that ask a node. Each returns its exit code.
namespace troupe::node {

/// Stores a graph at a node and prints its id.
int register_graph(console& to, const target_options& at, const std::string& file, format how);

/// The graphs that a node knows, by id, at most `limit`.
int list_graphs(console& to, const target_options& at, std::size_t limit, format how);

} // namespace troupe::node
