#include "node/completion.hpp"

#include "core/kind_catalog.hpp"
#include "core/state_names.hpp"

#include <algorithm>
#include <CLI/CLI.hpp>

namespace troupe::node {

namespace {

constexpr std::string_view shells[]{"bash", "zsh", "fish"};
constexpr std::string_view path_types[]{"FILE", "DIR", "PATH", "TARGET", "BACKUP"};

bool is_path(const std::string& type) {
  return std::ranges::find(path_types, type) != std::end(path_types);
}

/// The words of a closed list of values, which descriptions begin with: `table, json or ndjson`.
std::vector<std::string> listed_values(const std::string& about) {
  auto list = about.substr(0, about.find('('));
  std::vector<std::string> words;
  for (std::size_t at = 0; (at = list.find_first_not_of(", ", at)) != list.npos;) {
    auto end = std::min(list.find_first_of(", ", at), list.size());
    if (auto word = list.substr(at, end - at); word != "or")
      words.push_back(word);
    at = end;
  }
  return words;
}

/// The values of a type that is written as they are: `wfformat|langflow`.
std::vector<std::string> spelled_values(const std::string& type) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < type.size();) {
    auto end = std::min(type.find('|', at), type.size());
    words.push_back(type.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (auto& [name, info] : core::builtin_kinds())
    names.push_back(name);
  return names;
}

/// What an option takes, if that is a list.
std::vector<std::string> values_of(const CLI::Option& x) {
  auto type = x.get_type_name();
  if (type == "FORMAT" || type == "ROLE")
    return listed_values(x.get_description());
  if (type == "STATE") {
    auto names = core::job_state_names();
    std::vector<std::string> words{names.begin(), names.end()};
    if (x.get_description().find("unfinished") != std::string::npos)
      words.emplace_back("unfinished");
    return words;
  }
  if (type == "KIND")
    return kind_names();
  auto is_spelled = !type.empty() && type.front() >= 'a' && type.front() <= 'z';
  return is_spelled ? spelled_values(type) : std::vector<std::string>{};
}

void add_option(const CLI::Option& x, completion_verb& to) {
  completion_word word;
  word.about = x.get_description();
  word.is_option = true;
  word.takes_value = x.get_items_expected_max() > 0;
  word.takes_path = is_path(x.get_type_name());
  word.values = values_of(x);
  auto add = [&](std::string name) {
    word.text = std::move(name);
    to.words.push_back(word);
  };
  for (auto& name : x.get_lnames())
    add("--" + name);
  for (auto& name : x.get_snames())
    add("-" + name);
  if (x.get_positional())
    to.takes_files = to.takes_files || is_path(x.get_name());
  if (x.get_positional() && x.get_name() == "SHELL")
    for (auto& name : listed_values(x.get_description()))
      to.words.push_back({name, name, false, false, false, {}});
}

void collect(const CLI::App& app, const std::string& path, std::vector<completion_verb>& to) {
  completion_verb verb{path, {}, false};
  auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (auto x : below)
    verb.words.push_back({x->get_name(), x->get_description(), false, false, false, {}});
  for (auto x : app.get_options())
    add_option(*x, verb);
  to.push_back(std::move(verb));
  for (auto x : below)
    collect(*x, path + " " + x->get_name(), to);
}

/// Options that many verbs have may stand before the verb, too: as `with_common_options_last`.
void add_common_options(std::vector<completion_verb>& to) {
  for (auto name : {"-o", "--url", "--token", "--ca-file"}) {
    auto is_it = [&](auto& word) { return word.text == name; };
    for (auto& verb : to)
      if (auto word = std::ranges::find_if(verb.words, is_it); word != verb.words.end()) {
        to.front().words.push_back(*word);
        break;
      }
  }
}

} // namespace

std::optional<shell> parse_shell(std::string_view text) noexcept {
  auto found = std::ranges::find(shells, text);
  if (found == std::end(shells))
    return {};
  return shell(found - std::begin(shells));
}

std::vector<completion_verb> completion_of(const CLI::App& app) {
  std::vector<completion_verb> all;
  collect(app, app.get_name(), all);
  add_common_options(all);
  return all;
}

} // namespace troupe::node
