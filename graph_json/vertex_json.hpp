#pragma once

#include "graph_json/problem_list.hpp"
#include "troupe/graph_spec.hpp"

namespace troupe::graph_json {

/// Reads a vertex that stands at `at`. What is wrong goes to `out`; the rest is read anyhow.
vertex_spec read_vertex(value&& from, const json_place& at, problem_list& out);

/// The object that `read_vertex` reads back; what is as by default is left out.
value to_value(const vertex_spec& vertex);

} // namespace troupe::graph_json
