#pragma once

#include "core/kind_catalog.hpp"
#include "core/problem_list.hpp"
#include "troupe/graph_spec.hpp"

#include <string>
#include <string_view>

namespace troupe::core {

/// Reports what is wrong with a vertex by itself, wherever its edges lead: names, kind, config,
/// ports, retry, time-outs. `pointer` is where it stands.
void check_vertex(const vertex_spec& vertex, const kind_catalog& kinds, const std::string& pointer,
                  problem_list& found);

/// What to say of a text that is no name.
std::string name_rule(std::string_view what, std::string_view text);

/// Whether lists and objects lie in each other deeper than `limits::value_depth_max`.
bool is_too_deep(const value& x) noexcept;

} // namespace troupe::core
