#include "actors/kinds/function_registry.hpp"

#include "actors/kinds/utf8.hpp"
#include "core/json_pointer.hpp"
#include "core/payload.hpp"
#include "troupe/limits.hpp"

#include <exception>
#include <mutex>

namespace troupe::actors {

namespace {

constexpr std::size_t names_told_max = 50; // Of those that are known, in a message.

attempt_report failed(std::string_view code, std::string_view detail) {
  return {attempt_outcome::failed, {}, {replace_bad_utf8(code), "", replace_bad_utf8(detail)}};
}

bool is_bad(const std::string& text) { return find_bad_utf8(text) != text.npos; }

/// The JSON Pointer to the first text in `x` that is not UTF-8, if there is any.
std::optional<std::string> bad_text(const value& x) {
  if (auto text = x.string(); text && is_bad(*text))
    return "";
  if (auto items = x.items())
    for (std::size_t i = 0; i < items->size(); ++i)
      if (auto below = bad_text((*items)[i]))
        return core::at("", i) + *below;
  if (auto members = x.members())
    for (auto& [key, item] : *members) {
      if (is_bad(key))
        return "";
      if (auto below = bad_text(item))
        return core::at("", key) + *below;
    }
  return {};
}

/// Succeeded, unless the output cannot be kept as JSON.
attempt_report checked(value output) {
  if (core::too_deep(output)) // First: what looks further calls itself.
    return failed("output_too_deep", "the output is nested deeper than "
                                         + std::to_string(limits::value_depth_max)
                                         + " lists and objects; return less, or text");
  if (auto where = bad_text(output))
    return failed("bad_output", "the output has text that is not UTF-8, at \"" + *where
                                    + "\"; encode bytes as text, in base64 for example");
  return {attempt_outcome::succeeded, std::move(output), {}};
}

std::string known(const function_registry& all) {
  auto names = all.names();
  if (names.empty())
    return "none is registered";
  std::string text = "known are ";
  for (std::size_t i = 0; i < names.size() && i < names_told_max; ++i)
    text += (i ? ", " : "") + names[i];
  return text + (names.size() > names_told_max ? ", …" : "");
}

} // namespace

status function_registry::add(std::string name, function body, bool pure) {
  if (name.empty() || name.size() > limits::name_bytes_max)
    return error{ec::invalid_spec,
                 "a function's name has 1 to " + std::to_string(limits::name_bytes_max) + " bytes"};
  if (!body)
    return error{ec::invalid_spec, "the function `" + name + "` is empty"};
  std::lock_guard lock{mutex_};
  auto x = std::make_shared<const registered_function>(registered_function{std::move(body), pure});
  if (!entries_.try_emplace(name, std::move(x)).second)
    return error{ec::invalid_spec, "there is a function `" + name + "` already"};
  return {};
}

function_registry::entry function_registry::find(std::string_view name) const {
  std::shared_lock lock{mutex_};
  auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second;
}

std::vector<std::string> function_registry::names() const {
  std::shared_lock lock{mutex_};
  std::vector<std::string> all;
  for (auto& [name, x] : entries_)
    all.push_back(name);
  return all;
}

attempt_report call(const registered_function& f, const attempt& x, attempt_runner::log say,
                    std::stop_token stop) {
  auto arguments = x.config.find("arguments");
  function_context context{x.job,
                           x.vertex,
                           x.number,
                           x.idempotency_key,
                           arguments ? *arguments : value{},
                           std::move(stop),
                           [say = std::move(say)](std::string text) {
                             if (say)
                               say(replace_bad_utf8(text));
                           }};
  try {
    return checked(f.body(x.inputs, context));
  } catch (const failure& e) {
    return failed(e.code(), e.what());
  } catch (const std::exception& e) {
    return failed("exception", e.what());
  } catch (...) {
    return failed("exception", "something that is no std::exception was thrown");
  }
}

function_registry::entry find_function(const function_registry& all, const attempt& x,
                                       problem& wrong) {
  auto name = x.config.find("name");
  if (!name || !name->string()) {
    wrong = {"invalid_config", "/name", "`name` is the name of a registered function"};
    return nullptr;
  }
  auto found = all.find(*name->string());
  if (!found)
    wrong = {"unknown_function", "/name",
             "there is no function `" + *name->string() + "`; " + known(all)};
  return found;
}

} // namespace troupe::actors
