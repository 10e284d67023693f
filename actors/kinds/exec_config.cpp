#include "actors/kinds/exec_config.hpp"

#include <algorithm>
#include <map>

namespace troupe::actors {

namespace {

using trouble = std::optional<problem>;

problem wrong(std::string pointer, std::string detail) {
  return {"invalid_config", std::move(pointer), std::move(detail)};
}

// What the system takes as an argument, a variable or a path.
bool is_c_string(const value& x) {
  return x.string() && x.string()->find('\0') == std::string::npos;
}

trouble read_command(const value& config, exec_config& into) {
  auto argv = config.find("argv"), shell = config.find("shell");
  if (!argv == !shell)
    return wrong("", "give exactly one of `argv` and `shell`");
  if (shell && !is_c_string(*shell))
    return wrong("/shell", "`shell` is a string without NUL");
  if (shell) {
    into.argv = {"/bin/sh", "-c", *shell->string()};
    return {};
  }
  auto items = argv->items();
  if (!items || items->empty() || !std::all_of(items->begin(), items->end(), is_c_string))
    return wrong("/argv", "`argv` is a list of strings without NUL, the program first");
  for (auto& x : *items)
    into.argv.push_back(*x.string());
  return {};
}

trouble read_env(const value& config, exec_config& into) {
  auto env = config.find("env");
  if (!env)
    return {};
  if (!env->members())
    return wrong("/env", "`env` is an object of strings; null removes a variable");
  for (auto& [name, x] : *env->members()) {
    if (name.empty() || name.find_first_of(std::string_view{"=\0", 2}) != std::string::npos)
      return wrong("/env", "a variable's name is not empty and has no `=` and no NUL");
    if (!x.is_null() && !is_c_string(x))
      return wrong("/env", "`" + name + "` is a string without NUL, or null");
    into.env.emplace_back(name, x.string() ? std::optional{*x.string()} : std::nullopt);
  }
  return {};
}

trouble read_output(const value& config, exec_config& into) {
  if (auto x = config.find("output")) {
    if (*x == value{"text"})
      into.output = exec_output::text;
    else if (*x == value{"json"})
      into.output = exec_output::json;
    else if (*x == value{"ndjson"})
      into.output = exec_output::ndjson;
    else
      return wrong("/output", "`output` is one of text, json, ndjson");
  }
  if (auto x = config.find("output_max")) {
    if (!x->integer() || *x->integer() < 0)
      return wrong("/output_max", "`output_max` is a number of bytes, 0 or more");
    into.output_max = static_cast<std::size_t>(*x->integer());
  }
  return {};
}

trouble read_ok_codes(const value& config, exec_config& into) {
  auto x = config.find("ok_codes");
  if (!x)
    return {};
  auto is_code = [](const value& c) {
    return c.integer() && *c.integer() >= 0 && *c.integer() < 256;
  };
  if (!x->items() || !std::all_of(x->items()->begin(), x->items()->end(), is_code))
    return wrong("/ok_codes", "`ok_codes` is a list of integers from 0 to 255");
  into.ok_codes.clear();
  for (auto& code : *x->items())
    into.ok_codes.push_back(static_cast<int>(*code.integer()));
  return {};
}

trouble read_rest(const value& config, exec_config& into) {
  if (auto x = config.find("cwd")) {
    if (!is_c_string(*x))
      return wrong("/cwd", "`cwd` is a string without NUL");
    into.cwd = *x->string();
  }
  if (auto x = config.find("stdin"))
    into.input = *x;
  return {};
}

} // namespace

trouble read_exec_config(const value& config, exec_config& into) {
  if (!config.members())
    return wrong("", "the config of an exec vertex is an object");
  for (auto read : {read_command, read_env, read_output, read_ok_codes, read_rest})
    if (auto problem = read(config, into))
      return problem;
  return {};
}

std::vector<std::string>
exec_environment(const std::vector<std::string>& base, const exec_config& config,
                 const std::vector<std::pair<std::string, std::string>>& own) {
  std::map<std::string, std::string> all;
  for (auto& x : base)
    if (auto end = x.find('='); end != std::string::npos)
      all[x.substr(0, end)] = x.substr(end + 1);
  for (auto& [name, x] : config.env)
    if (x)
      all[name] = *x;
    else
      all.erase(name);
  for (auto& [name, x] : own)
    all[name] = x;
  std::vector<std::string> out;
  out.reserve(all.size());
  for (auto& [name, x] : all)
    out.push_back(name + '=' + x);
  return out;
}

} // namespace troupe::actors
