#pragma once

#include "node/console.hpp"
#include "troupe/graph_spec.hpp"
#include "troupe/problem.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::node {

/// A graph as a file gives it, and what is wrong with it here.
struct read_graph {
  graph_spec spec;
  problems errors;
};

/// Reads a graph and checks it against the kinds in the box; `-` is standard input. Faults:
/// `unreadable_file`.
answer<read_graph> read_graph_file(const std::string& file);

/// All of a file; `-` is standard input. Faults: `unreadable_file`.
answer<std::string> read_text(const std::string& file);

/// What `--input` says: JSON, `@` and a file with JSON, or `-` for standard input. Faults:
/// `unreadable_file`, `bad_input`.
answer<value> read_input(const std::string& text);

/// One line per problem: `FILE: /vertices/3/kind: unknown kind …`.
std::string problem_lines(const std::string& file, const problems& errors);

/// That a file has problems, which were shown.
trouble invalid_graph(const std::string& file, const problems& errors);

/// The graph that is to be used, after `--set` and `--until`, if there are any. Shows the problems
/// of an invalid one. Faults: `unreadable_file`, `invalid_graph`, those of `apply_set`,
/// `unknown_vertex`.
answer<graph_spec> valid_graph(console& to, const std::string& file,
                               const std::vector<std::string>& sets,
                               const std::optional<std::string>& until);

} // namespace troupe::node
