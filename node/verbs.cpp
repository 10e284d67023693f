#include "node/verbs.hpp"

#include "node/choice.hpp"

#include <CLI/CLI.hpp>

namespace troupe::node {

CLI::App& add_verb(CLI::App& to, const cli_targets& cli, const char* name, const char* about,
                   const std::string& footer, std::function<int(console&)> act) {
  auto verb = to.add_subcommand(name, about);
  verb->footer(footer);
  verb->callback([cli, act = std::move(act)] { cli.act = act; });
  return *verb;
}

CLI::App& add_group(CLI::App& to, const char* name, const char* about, const char* footer,
                    const char* group) {
  auto verb = to.add_subcommand(name, about);
  verb->footer(footer);
  verb->group(group);
  verb->require_subcommand(1);
  return *verb;
}

void add_format_option(CLI::App& to, format& how) {
  static const std::map<std::string, format> names{
      {"table", format::table}, {"json", format::json}, {"ndjson", format::ndjson}};
  to.add_option("-o", how, "table, json or ndjson")->transform(choice(names))->type_name("FORMAT");
}

void add_data_option(CLI::App& to, std::string& data) {
  to.add_option("--data", data, "The data directory (default: .troupe)")
      ->type_name("DIR")
      ->check(directory());
}

void add_repeated(CLI::App& to, const char* name, std::vector<std::string>& all, const char* about,
                  const char* type) {
  to.add_option(name, all, about)
      ->type_name(type)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

} // namespace troupe::node
