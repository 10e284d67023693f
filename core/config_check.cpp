#include "core/config_check.hpp"

#include "core/names.hpp"

#include <algorithm>

namespace troupe::core {

config_check::config_check(const value& config, const std::string& pointer, problems& errors,
                           std::span<const std::string_view> keys)
    : config_(config), pointer_(pointer), errors_(errors) {
  if (!config.members()) {
    report("wrong_type", std::string{"`config` is an object, not "} + to_string(config.kind()));
    return;
  }
  for (auto& [key, content] : *config.members())
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      report("unknown_key",
             "no key " + quoted(key) + "; allowed are " + listed(keys) + did_you_mean(key, keys),
             key);
}

const value* config_check::of_type(std::string_view key, value::type type) {
  auto found = config_.find(key);
  if (!found || found->kind() == type)
    return found;
  report("wrong_type",
         quoted(key) + " has to be of type " + to_string(type) + ", not "
             + to_string(found->kind()),
         key);
  return nullptr;
}

const std::string* config_check::text_at(std::string_view key) {
  auto found = of_type(key, value::type::string);
  if (!found)
    return nullptr;
  auto text = found->string();
  if (!text->empty() && !has_zero(*text))
    return text;
  report("out_of_range",
         quoted(key) + (text->empty() ? " must not be empty" : " must not have a byte of zero"),
         key);
  return nullptr;
}

const bool* config_check::boolean_at(std::string_view key) {
  auto found = of_type(key, value::type::boolean);
  return found ? found->boolean() : nullptr;
}

const value::list* config_check::list_at(std::string_view key) {
  auto found = of_type(key, value::type::list);
  return found ? found->items() : nullptr;
}

const value::object* config_check::object_at(std::string_view key) {
  auto found = of_type(key, value::type::object);
  return found ? found->members() : nullptr;
}

const std::int64_t* config_check::integer_at(std::string_view key, std::int64_t least,
                                             std::int64_t most) {
  auto found = of_type(key, value::type::integer);
  if (!found)
    return nullptr;
  if (auto x = *found->integer(); least <= x && x <= most)
    return found->integer();
  report("out_of_range",
         quoted(key) + " has to lie in " + std::to_string(least) + "…" + std::to_string(most), key);
  return nullptr;
}

void config_check::require(std::string_view key) {
  if (config_.members() && !has(key))
    report("missing_key", "the key " + quoted(key) + " is required");
}

void config_check::require_one(std::string_view a, std::string_view b) {
  if (!config_.members() || has(a) != has(b))
    return;
  report(has(a) ? "too_many_keys" : "missing_key",
         "exactly one of the keys " + quoted(a) + " and " + quoted(b) + " is required");
}

bool has_zero(std::string_view text) noexcept { return text.find('\0') != text.npos; }

} // namespace troupe::core
