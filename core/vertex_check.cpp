#include "core/vertex_check.hpp"

#include "core/json_pointer.hpp"
#include "core/names.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::core {

namespace {

bool deeper_than(const value& x, std::size_t levels) noexcept {
  if (!x.items() && !x.members())
    return false;
  if (levels == 0)
    return true;
  if (auto items = x.items())
    return std::any_of(items->begin(), items->end(),
                       [&](auto& item) { return deeper_than(item, levels - 1); });
  return std::any_of(x.members()->begin(), x.members()->end(),
                     [&](auto& member) { return deeper_than(member.second, levels - 1); });
}

void check_kind(const vertex_spec& x, const kind_catalog& kinds, const std::string& pointer,
                problem_list& found) {
  auto kind = kinds.find(x.kind);
  if (kind == kinds.end()) {
    std::vector<std::string_view> known;
    for (auto& [name, info] : kinds)
      known.push_back(name);
    return found.add("unknown_kind", at(pointer, "kind"),
                     "no kind " + quoted(x.kind) + "; known are " + listed(known)
                         + did_you_mean(x.kind, known));
  }
  if (is_too_deep(x.config))
    return found.add("too_deep", at(pointer, "config"),
                     "lists and objects lie in each other at most "
                         + std::to_string(limits::value_depth_max) + " deep");
  problems wrong;
  if (kind->second.check)
    kind->second.check(x.config, at(pointer, "config"), wrong);
  found.add(std::move(wrong));
}

void check_ports(const vertex_spec& x, const std::string& pointer, problem_list& found) {
  if (x.inputs.size() > limits::vertex_ports_max)
    return found.add("too_many", at(pointer, "inputs"),
                     "a vertex has at most " + std::to_string(limits::vertex_ports_max)
                         + " input ports");
  for (auto& [name, takes] : x.inputs)
    if (!is_name(name))
      found.add("bad_name", at(pointer, "inputs", name), name_rule("a port", name));
    else if (name == "job")
      found.add("reserved_name", at(pointer, "inputs", name),
                "the port `job` is always there: it holds the job's own input");
}

/// Reports a duration that is negative or too long. Where it is neither, returns true.
bool check_duration(std::chrono::milliseconds x, std::string pointer, problem_list& found) {
  auto fits = x.count() >= 0 && x <= limits::duration_max;
  if (!fits)
    found.add("out_of_range", std::move(pointer),
              "a duration has to lie in 0…" + std::to_string(limits::duration_max.count()) + "h");
  return fits;
}

void check_retry(const retry_spec& x, const std::string& pointer, problem_list& found) {
  if (x == retry_spec{})
    return;
  if (x.max_attempts < 1 || x.max_attempts > limits::attempts_max)
    found.add("out_of_range", at(pointer, "max_attempts"),
              "`max_attempts`, the first included, has to lie in 1…"
                  + std::to_string(limits::attempts_max));
  if (!std::isfinite(x.factor) || x.factor < 1)
    found.add("out_of_range", at(pointer, "factor"), "`factor` has to be a number of at least 1");
  auto base_fits = check_duration(x.base, at(pointer, "base"), found);
  if (check_duration(x.cap, at(pointer, "cap"), found) && base_fits && x.base > x.cap)
    found.add("out_of_range", at(pointer, "cap"),
              "`cap` (default `60s`) has to be at least `base`");
}

void check_timeouts(const timeouts_spec& x, const std::string& pointer, problem_list& found) {
  if (x == timeouts_spec{})
    return;
  auto soft_fits = check_duration(x.soft, at(pointer, "soft"), found);
  auto hard_fits = check_duration(x.hard, at(pointer, "hard"), found);
  if (soft_fits && hard_fits && x.soft.count() > 0 && x.hard.count() > 0 && x.soft >= x.hard)
    found.add("out_of_range", at(pointer, "hard"),
              "`hard` has to be longer than `soft`: between them the attempt is asked to end");
}

} // namespace

void check_vertex(const vertex_spec& x, const kind_catalog& kinds, const std::string& pointer,
                  problem_list& found) {
  if (!is_name(x.id))
    found.add("bad_name", at(pointer, "id"), name_rule("the id of a vertex", x.id));
  check_kind(x, kinds, pointer, found);
  check_ports(x, pointer, found);
  check_retry(x.retry, at(pointer, "retry"), found);
  check_timeouts(x.timeouts, at(pointer, "timeouts"), found);
}

std::string name_rule(std::string_view what, std::string_view text) {
  return std::string{what} + " has 1 to " + std::to_string(limits::name_bytes_max)
         + " of the characters `A-Z a-z 0-9 _ . : -`, not " + quoted(text);
}

bool is_too_deep(const value& x) noexcept { return deeper_than(x, limits::value_depth_max); }

} // namespace troupe::core
