#pragma once

#include "node/console.hpp"

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace troupe::node {

/// Where a verb leaves what was asked for. All of it outlives the parser.
struct cli_targets {
  format& how;
  std::string& data;
  std::function<int(console&)>& act; ///< What the verb does.
};

/// Adds `backup`, `restore`, `verify`, `compact`, `export` and `import`.
void add_store_verbs(CLI::App& app, const cli_targets& cli);

/// Adds `-o FORMAT`.
void add_format_option(CLI::App& to, format& how);
/// Adds `--data DIR`.
void add_data_option(CLI::App& to, std::string& data);

} // namespace troupe::node
