#include "core/kind_catalog.hpp"

#include "core/config_check.hpp"
#include "core/duration.hpp"
#include "core/names.hpp"
#include "core/time_text.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <array>

namespace troupe::core {

namespace {

using namespace std::string_literals;
using words = std::span<const std::string_view>;

constexpr std::string_view noop_keys[] = {"output"};
constexpr std::string_view delay_keys[] = {"for", "until", "hold"};
constexpr std::string_view jq_keys[] = {"program"};
constexpr std::string_view function_keys[] = {"name", "arguments"};
constexpr std::string_view actor_keys[] = {"name", "arguments"};
constexpr std::string_view worker_keys[] = {"task", "queue", "arguments"};
constexpr std::string_view exec_keys[] = {"argv", "shell", "output",   "env",
                                          "cwd",  "stdin", "ok_codes", "output_max"};
constexpr std::string_view exec_outputs[] = {"text", "json", "ndjson"};

void check_noop(const value& config, const std::string& pointer, problems& errors) {
  config_check{config, pointer, errors, noop_keys};
}

void check_delay(const value& config, const std::string& pointer, problems& errors) {
  config_check in{config, pointer, errors, delay_keys};
  in.require_one("for", "until");
  in.boolean_at("hold");
  if (auto text = in.text_at("for"); text && !parse_duration(*text))
    in.report("bad_duration",
              "`for` has to be a duration such as `250ms`, `10s`, `1.5h` or `PT10S`", "for");
  if (auto text = in.text_at("until"); text && !parse_time(*text))
    in.report("bad_time", "`until` has to be a time of RFC 3339 such as `2026-01-31T12:00:00Z`",
              "until");
}

void check_argv(config_check& in) {
  auto argv = in.list_at("argv");
  if (!argv)
    return;
  if (argv->empty())
    in.report("out_of_range", "`argv` has to name at least the program", "argv");
  for (std::size_t i = 0; i < argv->size(); ++i) {
    auto word = (*argv)[i].string();
    if (!word)
      in.report("wrong_type",
                "`argv` has to be a list of strings, not "s + to_string((*argv)[i].kind()), "argv",
                i);
    else if (has_zero(*word) || (i == 0 && word->empty()))
      in.report("out_of_range",
                i ? "an argument must not have a byte of zero" : "this names no program", "argv",
                i);
  }
}

void check_env(config_check& in) {
  auto env = in.object_at("env");
  if (!env)
    return;
  for (auto& [name, content] : *env) {
    if (name.empty() || name.find('=') != name.npos || has_zero(name))
      in.report("bad_name", "the name of a variable must not be empty or have a `=`", "env", name);
    if (content.is_null())
      continue; // Not set for the process.
    if (!content.string())
      in.report("wrong_type",
                "a variable has to be a string, or null to remove it, not "s
                    + to_string(content.kind()),
                "env", name);
    else if (has_zero(*content.string()))
      in.report("out_of_range", "a variable must not have a byte of zero", "env", name);
  }
}

void check_ok_codes(config_check& in) {
  constexpr std::int64_t most = 255;
  auto codes = in.list_at("ok_codes");
  if (!codes)
    return;
  if (codes->empty())
    in.report("out_of_range", "`ok_codes` has to have at least one exit code", "ok_codes");
  for (std::size_t i = 0; i < codes->size(); ++i) {
    auto code = (*codes)[i].integer();
    if (!code)
      in.report("wrong_type",
                "an exit code has to be an integer, not "s + to_string((*codes)[i].kind()),
                "ok_codes", i);
    else if (*code < 0 || *code > most)
      in.report("out_of_range", "an exit code has to lie in 0…255", "ok_codes", i);
  }
}

void check_exec(const value& config, const std::string& pointer, problems& errors) {
  config_check in{config, pointer, errors, exec_keys};
  in.require_one("argv", "shell");
  check_argv(in);
  check_env(in);
  check_ok_codes(in);
  in.text_at("shell");
  in.text_at("cwd");
  in.integer_at("output_max", 1, limits::value_bytes_max);
  words known{exec_outputs};
  if (auto text = in.text_at("output");
      text && std::find(known.begin(), known.end(), *text) == known.end())
    in.report("bad_value",
              "`output` has to be one of " + listed(known) + did_you_mean(*text, known), "output");
}

void check_jq(const value& config, const std::string& pointer, problems& errors) {
  config_check in{config, pointer, errors, jq_keys};
  in.require("program");
  in.text_at("program");
}

void check_worker(const value& config, const std::string& pointer, problems& errors) {
  config_check in{config, pointer, errors, worker_keys};
  in.require("task");
  for (auto key : {"task", "queue"})
    if (auto name = in.text_at(key); name && !is_name(*name))
      in.report("bad_name",
                "`"s + key + "` has 1 to 128 letters, digits and `_.:-`, not " + quoted(*name),
                key);
}

void check_function(const function_known& known, const value& config, const std::string& pointer,
                    problems& errors) {
  config_check in{config, pointer, errors, function_keys};
  in.require("name");
  if (auto name = in.text_at("name"); name && !(known && known(*name)))
    in.report("unknown_function", "no function is registered as " + quoted(*name), "name");
}

} // namespace

kind_catalog builtin_kinds(function_known functions) {
  auto check_a_function = [known = std::move(functions)](auto& config, auto& pointer,
                                                         auto& errors) {
    check_function(known, config, pointer, errors);
  };
  return {
      {"noop", {execution::inline_pure, false, check_noop}},
      {"delay", {execution::timer, true, check_delay}},
      {"exec", {execution::attempt, true, check_exec}},
      {"jq", {execution::pooled_pure, true, check_jq}},
      {"function", {execution::attempt, true, check_a_function}},
      {"worker", {execution::leased, true, check_worker}},
  };
}

kind_info actor_kind(actor_known actors) {
  auto check = [known = std::move(actors)](auto& config, auto& pointer, auto& errors) {
    config_check in{config, pointer, errors, actor_keys};
    in.require("name");
    if (auto name = in.text_at("name"); name && !(known && known(*name)))
      in.report("unknown_actor", "no actor is registered as " + quoted(*name), "name");
  };
  return {execution::attempt, true, check};
}

worker_task worker_task_of(const value& config, const std::string& job_queue) {
  auto text = [&](const char* key) {
    auto found = config.find(key);
    return found && found->string() ? *found->string() : std::string{};
  };
  auto own = text("queue");
  return {own.empty() ? job_queue : own, text("task")};
}

bool holds_slot(const kind_info& kind, const value& config) noexcept {
  auto hold = kind.how == execution::timer ? config.find("hold") : nullptr;
  return hold && hold->boolean() ? *hold->boolean() : kind.holds_slot;
}

execution how_to_run(const kind_info& info, const std::string& kind, const value& config,
                     std::optional<bool> pure) {
  if (info.how == execution::timer || info.how == execution::inline_pure
      || info.how == execution::leased)
    return info.how; // There is no other way to run these.
  if (!pure && kind == "jq") {
    auto program = config.find("program");
    pure = !program || !program->string() || jq_is_pure(*program->string());
  }
  if (!pure)
    return info.how;
  if (!*pure)
    return execution::attempt;
  if (info.how != execution::attempt)
    return info.how;
  return kind == "function" ? execution::inline_pure : execution::pooled_pure;
}

} // namespace troupe::core
