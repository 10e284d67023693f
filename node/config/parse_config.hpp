#pragma once

#include "node/config/node_config.hpp"
#include "troupe/problem.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::node {

/// A configuration and all that is wrong with it. With errors, `config` has what could be read.
struct parsed_config {
  node_config config;
  problems errors;
  std::size_t of_variables = 0; ///< How many of `errors`, the last ones, the environment has made.
};

/// Variables of the environment, `NAME=value` each.
using environment_view = std::span<const std::string>;

/// Reads a configuration text, then what the environment says: a variable `TROUPE_SECTION_KEY`
/// (`TROUPE_HTTP_PORT`) goes before the text. Texts and durations stand in it as they are, numbers,
/// booleans and objects as JSON, lists as JSON or with commas between. What neither says is as by
/// default. Pure.
/// Errors, each with a JSON Pointer: `wrong_type`, `unknown_key` (also a variable that begins as a
/// section and names no key of it), `duplicate_key`, `out_of_range`, `bad_value`, `bad_name`,
/// `bad_duration`; alone: `syntax`, with line and column. An error in a variable names it.
parsed_config parse_config(std::string_view text, environment_view environment = {});

/// The same from a file; errors also `io_failed`.
parsed_config parse_config_file(const std::string& path, environment_view environment = {});

/// The variable that sets a key: `/http/port` → `TROUPE_HTTP_PORT`.
std::string variable_of(std::string_view pointer);

/// What no key can tell by itself: addresses, pairs that belong together, files. Pure.
problems check_config(const node_config& x);

/// What is told of variables that begin as those of this program do and are none of them: a slip,
/// perhaps. Those that begin as a section are errors of `parse_config`, and are left out. Pure.
std::vector<std::string> stray_variables(environment_view environment);

/// All variables of this process. Call it before other threads change them.
std::vector<std::string> process_environment();

/// One key that differs between two configurations.
struct config_change {
  std::string pointer{};
  std::string from{}, to{}; ///< As JSON; what may be secret is not shown.
  bool is_live = false;     ///< It takes effect at once; else the node must be started again.
};

/// What is different in `after`, in the order of the documentation. Pure.
std::vector<config_change> changes_of(const node_config& before, const node_config& after);

/// `before` with those keys of `after` that take effect at once. Pure.
node_config with_live_changes(const node_config& before, const node_config& after);

} // namespace troupe::node
