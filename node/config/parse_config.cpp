#include "node/config/parse_config.hpp"

#include "core/json_pointer.hpp"
#include "core/names.hpp"
#include "graph_json/json_walker.hpp"
#include "graph_json/value_json.hpp"
#include "node/config/settings.hpp"

#include <algorithm>

extern char** environ;

namespace troupe::node {

namespace {

using graph_json::json_fault;
using graph_json::json_place;
using graph_json::problem_list;

constexpr std::string_view variable_prefix = "TROUPE_";

/// What is no key: of the command line, of `exec`, of the kind `jq`.
constexpr std::string_view other_variables[]{
    "TROUPE_URL",    "TROUPE_TOKEN",   "TROUPE_CA_FILE",         "TROUPE_JOB",
    "TROUPE_VERTEX", "TROUPE_ATTEMPT", "TROUPE_IDEMPOTENCY_KEY", "TROUPE_JQ_HELPER"};
/// Of tests; and what Kubernetes tells of a service that is called `troupe`.
constexpr std::string_view foreign_prefixes[]{"TROUPE_SHIM_", "TROUPE_SERVICE_", "TROUPE_PORT_"};

const setting* find(std::string_view pointer) {
  auto all = settings();
  auto found = std::ranges::find(all, pointer, &setting::pointer);
  return found == all.end() ? nullptr : &*found;
}

/// Whether keys stand below this place.
bool is_section(std::string_view pointer) {
  return std::ranges::any_of(settings(), [&](auto& s) {
    return s.pointer.size() > pointer.size() && s.pointer.starts_with(pointer)
           && s.pointer[pointer.size()] == '/';
  });
}

/// The names that may stand right below a section.
std::vector<std::string_view> keys_below(std::string_view section) {
  std::vector<std::string_view> keys;
  for (auto& s : settings()) {
    if (!s.pointer.starts_with(section) || s.pointer[section.size()] != '/')
      continue;
    auto key = s.pointer.substr(section.size() + 1);
    key = key.substr(0, key.find('/'));
    if (std::ranges::find(keys, key) == keys.end())
      keys.push_back(key);
  }
  return keys;
}

/// Takes a text apart into the values of keys.
class config_reader : public graph_json::json_walker {
public:
  explicit config_reader(problem_list& problems) : problems_(problems) {}

  std::map<std::string, value, std::less<>> values;

private:
  way choose(std::string_view pointer, value::type type) override {
    return type == value::type::object && is_section(pointer) ? way::down : way::take;
  }

  void take(std::string_view pointer, std::string_view key, value&& x) override {
    json_place at{pointer};
    auto section = pointer.substr(0, pointer.rfind('/'));
    if (find(pointer))
      values.emplace(pointer, std::move(x));
    else if (pointer == "/$schema" && x.string()) // For editors.
      return;
    else if (pointer == "/$schema")
      problems_.wrong_type(at, x, "a string");
    else if (is_section(pointer))
      problems_.wrong_type(at, x, "an object");
    else
      problems_.unknown_key(json_place{section}, key, keys_below(section));
  }

  void repeated(std::string_view pointer, std::string_view key) override {
    problems_.duplicate_key(json_place{pointer}, key);
  }

  problem_list& problems_;
};

bool is_text(setting::type x) {
  using enum setting::type;
  return x == text || x == duration || x == word;
}

value split(const std::string& text) {
  value::list items;
  for (std::size_t at = 0; at < text.size();) {
    auto end = std::min(text.find(',', at), text.size());
    items.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return items;
}

/// What a variable stands for, or nothing if it is not even JSON.
std::optional<value> value_of(const setting& s, const std::string& text) {
  if (is_text(s.takes))
    return value{text};
  if (s.takes == setting::type::texts && !text.starts_with('['))
    return split(text);
  auto parsed = graph_json::parse_value(text);
  return parsed ? std::optional{std::move(*parsed)} : std::nullopt;
}

/// `problems` as they are told of a variable.
problems naming(problems all, const std::string& variable) {
  for (auto& x : all)
    x.detail = "the environment variable " + variable + ": " + x.detail;
  return all;
}

/// Reads what variables say into `to`.
class environment_reader {
public:
  explicit environment_reader(environment_view all) {
    for (auto& x : all)
      if (auto end = x.find('='); x.starts_with(variable_prefix) && end != x.npos)
        variables_.emplace(x.substr(0, end), x.substr(end + 1));
  }

  bool sets(const setting& s) const { return variables_.contains(variable_of(s.pointer)); }

  problems read(const setting& s, node_config& to) const {
    auto& [name, text] = *variables_.find(variable_of(s.pointer));
    problem_list wrong;
    json_place at{s.pointer};
    if (auto x = value_of(s, text))
      s.read(s, to, *x, at, wrong);
    else
      wrong.add("wrong_type", at, "expected JSON, not " + core::quoted(text));
    return naming(wrong.release(), name);
  }

  /// Those that look like keys and are none.
  problems slips() const {
    problems found;
    for (auto& [name, text] : variables_)
      if (!is_key(name) && begins_as_section(name))
        found.push_back({"unknown_key", "", no_key(name)});
    return found;
  }

  /// Others that nothing here reads.
  std::vector<std::string> strays() const {
    std::vector<std::string> found;
    for (auto& [name, text] : variables_)
      if (!is_key(name) && !begins_as_section(name) && !is_foreign(name, text))
        found.push_back(no_key(name));
    return found;
  }

private:
  static std::vector<std::string> key_variables() {
    std::vector<std::string> names;
    for (auto& s : settings())
      names.push_back(variable_of(s.pointer));
    return names;
  }

  static bool is_key(const std::string& name) {
    return std::ranges::any_of(settings(), [&](auto& s) { return variable_of(s.pointer) == name; });
  }

  static bool is_foreign(const std::string& name, const std::string& text) {
    return std::ranges::find(other_variables, name) != std::end(other_variables)
           || std::ranges::any_of(foreign_prefixes, [&](auto x) { return name.starts_with(x); })
           || text.starts_with("tcp://"); // `TROUPE_PORT` of Kubernetes.
  }

  static std::string no_key(const std::string& name) {
    auto names = key_variables();
    std::vector<std::string_view> known(names.begin(), names.end());
    return "the environment variable " + name + " names no key" + core::did_you_mean(name, known);
  }

  static bool begins_as_section(const std::string& name) {
    return std::ranges::any_of(keys_below(""), [&](auto key) {
      auto pointer = "/" + std::string{key};
      return is_section(pointer) && name.starts_with(variable_of(pointer) + "_");
    });
  }

  std::map<std::string, std::string> variables_;
};

problem problem_of(const json_fault& fault) {
  if (fault.why == json_fault::cause::unreadable)
    return {"io_failed", "", fault.detail};
  return {"syntax", "", to_string(fault.at) + ": " + fault.detail};
}

/// Keys are set in the order of the table, whatever their order in the text.
parsed_config finish(config_reader& reader, problem_list& wrong,
                     const std::optional<json_fault>& fault, environment_view environment) {
  parsed_config to;
  if (fault) {
    to.errors.push_back(problem_of(*fault));
    return to;
  }
  environment_reader variables{environment};
  problems of_variables;
  for (auto& s : settings()) {
    if (auto found = reader.values.find(s.pointer); found != reader.values.end())
      s.read(s, to.config, found->second, json_place{s.pointer}, wrong);
    if (variables.sets(s))
      std::ranges::move(variables.read(s, to.config), std::back_inserter(of_variables));
  }
  to.errors = wrong.release();
  std::ranges::move(variables.slips(), std::back_inserter(of_variables));
  to.of_variables = of_variables.size();
  std::ranges::move(of_variables, std::back_inserter(to.errors));
  return to;
}

} // namespace

std::string variable_of(std::string_view pointer) {
  std::string name{variable_prefix};
  for (auto c : pointer.substr(1))
    name += c == '/' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

parsed_config parse_config(std::string_view text, environment_view environment) {
  problem_list wrong;
  config_reader reader{wrong};
  auto fault = graph_json::read_json(text, reader);
  return finish(reader, wrong, fault, environment);
}

parsed_config parse_config_file(const std::string& path, environment_view environment) {
  problem_list wrong;
  config_reader reader{wrong};
  auto fault = graph_json::read_json_file(path, reader);
  return finish(reader, wrong, fault, environment);
}

std::vector<std::string> stray_variables(environment_view environment) {
  return environment_reader{environment}.strays();
}

std::vector<std::string> process_environment() {
  std::vector<std::string> all;
  for (auto x = environ; x && *x; ++x)
    all.emplace_back(*x);
  return all;
}

} // namespace troupe::node
