#pragma once

#include "node/console.hpp"

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace troupe::node {

inline constexpr auto default_data = ".troupe"; ///< The directory of verbs without `--data`.

/// Where a verb leaves what was asked for. All of it outlives the parser.
struct cli_targets {
  format& how;
  std::string& data;
  std::function<int(console&)>& act; ///< What the verb does.
};

/// Adds a verb with what it does.
CLI::App& add_verb(CLI::App& to, const cli_targets& cli, const char* name, const char* about,
                   const std::string& footer, std::function<int(console&)> act);

/// Adds a verb that needs one of the verbs below it. `group`: the heading that it stands under.
CLI::App& add_group(CLI::App& to, const char* name, const char* about, const char* footer,
                    const char* group);

/// Adds `-o FORMAT`.
void add_format_option(CLI::App& to, format& how);
/// Adds `--data DIR`.
void add_data_option(CLI::App& to, std::string& data);
/// Adds an option that may be repeated, each time with one value.
void add_repeated(CLI::App& to, const char* name, std::vector<std::string>& all, const char* about,
                  const char* type);

} // namespace troupe::node
