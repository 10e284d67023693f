#include "actors/kinds/function_registry.hpp"

#include "core/payload.hpp"
#include "core/utf8.hpp"
#include "troupe/limits.hpp"

#include <exception>
#include <mutex>

namespace troupe::actors {

namespace {

constexpr std::size_t names_told_max = 50; // Of those that are known, in a message.

attempt_report failed(std::string_view code, std::string_view detail) {
  return {
      attempt_end::failed, {}, {core::replace_bad_utf8(code), "", core::replace_bad_utf8(detail)}};
}

/// Succeeded, unless the output cannot be kept as JSON.
attempt_report checked(value output) {
  auto wrong = core::unkeepable(output);
  if (!wrong)
    return {attempt_end::succeeded, std::move(output), {}};
  auto deep = wrong->code == "too_deep";
  return failed(deep ? "output_too_deep" : "bad_output",
                "the output cannot be kept: " + wrong->detail);
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
                               say(core::replace_bad_utf8(text));
                           },
                           x.traceparent};
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
