#pragma once

#include "node/console.hpp"
#include "troupe/graph_spec.hpp"

#include <optional>
#include <string>

namespace troupe::node {

/// What can be refused of a graph that `troupe run` is to run, `name` being what the user knows it
/// by: nobody can fetch work from a run, so that vertices for workers would wait for ever. `next`:
/// what runs it. Pure.
std::optional<trouble> needs_node(const graph_spec& graph, const std::string& name,
                                  const std::string& next);

} // namespace troupe::node
