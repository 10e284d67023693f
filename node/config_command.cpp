#include "node/config_command.hpp"

#include "graph_json/value_json.hpp"
#include "node/config/settings.hpp"
#include "node/graph_file.hpp"
#include "node/text.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

std::string about(std::size_t changed) {
  return changed == 0 ? "all is as by default"
                      : counted(changed, "key") + (changed == 1 ? " differs" : " differ")
                            + " from the default";
}

/// Every key with its value.
value all_of(const node_config& x) {
  value all;
  for (auto& s : settings()) {
    auto at = &all;
    for (auto rest = s.pointer; !rest.empty();) {
      auto end = std::min(rest.find('/', 1), rest.size());
      at = &(*at)[rest.substr(1, end - 1)];
      rest.remove_prefix(end);
    }
    *at = s.show(x);
  }
  return all;
}

/// Adds what is wrong with the whole, but for keys that could not be read: those are told.
void add_problems(problems more, problems& to) {
  for (auto& x : more)
    if (std::ranges::none_of(to, [&](auto& y) { return y.pointer.starts_with(x.pointer); }))
      to.push_back(std::move(x));
}

} // namespace

answer<node_config> load_config(console& to, const std::string& file,
                                const config_options& options) {
  auto environment = process_environment();
  auto parsed =
      file.empty() ? parse_config("{}", environment) : parse_config_file(file, environment);
  auto& wrong = parsed.errors;
  if (wrong.size() == 1 && wrong[0].code == "io_failed")
    return trouble{fault::unreadable_file, "cannot read " + file, wrong[0].detail};
  if (options)
    parsed.config = options(std::move(parsed.config));
  add_problems(check_config(parsed.config), wrong);
  if (wrong.empty())
    return parsed.config;
  to.err(problem_lines(file.empty() ? options ? "options" : "environment" : file, wrong));
  auto where = file.empty() ? std::string{"the environment"} : file;
  return trouble{fault::invalid_config, counted(wrong.size(), "problem") + " in " + where
                                            + (options ? " or in the options" : "")};
}

int check_config(console& to, const std::string& file, const config_options& options, format how) {
  auto config = load_config(to, file, options);
  if (!config)
    return to.fail(config.trouble());
  auto changed = changes_of(node_config{}, *config);
  if (how == format::json)
    to.out_json(all_of(*config));
  else if (how == format::ndjson)
    to.out_line(all_of(*config));
  else {
    std::vector<row> rows;
    for (auto& x : changed)
      rows.push_back({x.pointer, x.to});
    to.out("ok: " + about(changed.size()) + "\n" + table_of(rows));
  }
  return to.flush() ? number(exit_code::ok) : to.fail(fault::output_failed);
}

std::string reload_lines(const std::vector<config_change>& changes) {
  std::string lines;
  for (auto& x : changes)
    lines += x.pointer + ": " + x.from + " -> " + x.to
             + (x.is_live ? "" : " (only after a restart)") + "\n";
  return lines;
}

} // namespace troupe::node
