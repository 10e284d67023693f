#include "node/config_command.hpp"

#include "graph_json/value_json.hpp"
#include "node/config/settings.hpp"
#include "node/graph_file.hpp"
#include "node/http/tls_files.hpp"
#include "node/security_commands.hpp"
#include "node/text.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

std::string about(std::size_t changed) {
  return changed == 0 ? "all is as by default"
                      : counted(changed, "key") + (changed == 1 ? " differs" : " differ")
                            + " from the default";
}

/// Every key with its value, but for secrets.
value all_of(const node_config& x) {
  value all;
  for (auto& s : settings()) {
    auto at = &all;
    for (auto rest = s.pointer; !rest.empty();) {
      auto end = std::min(rest.find('/', 1), rest.size());
      at = &(*at)[rest.substr(1, end - 1)];
      rest.remove_prefix(end);
    }
    *at = shown(s, x);
  }
  return all;
}

/// Lines for all problems, each with where it comes from. The last ones of `parsed.errors` are of
/// variables, those of `whole` of all together.
std::string lines_of(const std::string& place, const parsed_config& parsed, const problems& whole) {
  auto split = parsed.errors.end() - static_cast<std::ptrdiff_t>(parsed.of_variables);
  return problem_lines(place, {parsed.errors.begin(), split})
         + problem_lines("environment", {split, parsed.errors.end()}) + problem_lines(place, whole);
}

/// `node.json or in the options`.
std::string places_of(const std::string& file, bool has_variables, bool has_options) {
  std::string all = file;
  auto add = [&all](const char* place) {
    all += (all.empty() ? "" : " or in ") + std::string{place};
  };
  if (has_variables || (file.empty() && !has_options))
    add("the environment");
  if (has_options)
    add("the options");
  return all;
}

/// What is wrong with the whole, but for keys that could not be read: those are told.
problems whole_problems(const parsed_config& x, bool with_files) {
  auto all = check_config(x.config);
  auto& tls = x.config.http.tls;
  auto wrong = with_files ? http::check_tls_files(tls.cert, tls.key) : std::nullopt;
  if (wrong && std::ranges::find(all, "/http/tls", &problem::pointer) == all.end())
    all.push_back(*wrong);
  std::erase_if(all, [&](auto& whole) {
    return std::ranges::any_of(x.errors,
                               [&](auto& one) { return one.pointer.starts_with(whole.pointer); });
  });
  return all;
}

/// `with_files`: those that it names are looked at, too.
answer<node_config> load(console& to, const std::string& file, const config_options& options,
                         bool with_files) {
  auto environment = process_environment();
  auto parsed =
      file.empty() ? parse_config("{}", environment) : parse_config_file(file, environment);
  auto& wrong = parsed.errors;
  if (wrong.size() == 1 && wrong[0].code == "io_failed")
    return trouble{fault::unreadable_file, "cannot read " + file, wrong[0].detail};
  if (options)
    parsed.config = options(std::move(parsed.config));
  auto whole = whole_problems(parsed, with_files);
  if (wrong.empty() && whole.empty())
    return std::move(parsed.config);
  auto place = !file.empty() ? file : options ? "options" : "environment";
  to.err(lines_of(place, parsed, whole));
  return trouble{fault::invalid_config,
                 counted(wrong.size() + whole.size(), "problem") + " in "
                     + places_of(file, parsed.of_variables > 0, static_cast<bool>(options))};
}

} // namespace

answer<node_config> load_config(console& to, const std::string& file,
                                const config_options& options) {
  return load(to, file, options, false);
}

int check_config(console& to, const std::string& file, const config_options& options, format how) {
  auto config = load(to, file, options, true);
  if (!config)
    return to.fail(config.trouble());
  auto keys = read_keys(config->keys_file()); // Whoever may not read it is not who starts the node.
  if (keys.code() == ec::invalid_spec)
    return to.fail(keys_trouble(keys.error()));
  if (auto exposed = keys ? exposure(*config, file, !keys->empty()) : std::nullopt)
    return to.fail(*exposed);
  for (auto& x : stray_variables(process_environment()))
    to.err("warning: " + x + "\n");
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
