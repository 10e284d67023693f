#pragma once

#include "graph_json/problem_list.hpp"
#include "troupe/graph_spec.hpp"

namespace troupe::graph_json {

/// Reads an edge that stands at `at`. What is wrong goes to `out`; the rest is read anyhow.
edge_spec read_edge(value&& from, const json_place& at, problem_list& out);

/// The object that `read_edge` reads back; what is as by default is left out.
value to_value(const edge_spec& edge);

} // namespace troupe::graph_json
