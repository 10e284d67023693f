#include "core/condition.hpp"
#include "core/condition_node.hpp"
#include "core/names.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <array>

namespace troupe::core {

namespace {

using node = condition::node;
using op = condition_op;

/// What an operator takes. The table is in the order of `condition_op`, without the constant.
enum class takes { conditions, condition, anything, ordered, list, text, boolean, type };

struct operator_info {
  std::string_view name;
  op code;
  takes operand;
  bool can_ignore_case = false;
};

constexpr std::array operators{
    operator_info{"and", op::all_of, takes::conditions},
    operator_info{"or", op::any_of, takes::conditions},
    operator_info{"not", op::none_of, takes::condition},
    operator_info{"eq", op::eq, takes::anything, true},
    operator_info{"ne", op::ne, takes::anything, true},
    operator_info{"lt", op::lt, takes::ordered},
    operator_info{"le", op::le, takes::ordered},
    operator_info{"gt", op::gt, takes::ordered},
    operator_info{"ge", op::ge, takes::ordered},
    operator_info{"in", op::in, takes::list},
    operator_info{"contains", op::contains, takes::anything, true},
    operator_info{"starts_with", op::starts_with, takes::text, true},
    operator_info{"ends_with", op::ends_with, takes::text, true},
    operator_info{"exists", op::exists, takes::boolean},
    operator_info{"is", op::is, takes::type},
};

constexpr std::array<std::string_view, 7> types{"null",   "boolean", "integer", "number",
                                                "string", "list",    "object"};

const operator_info* find_operator(std::string_view name) noexcept {
  auto found = std::find_if(operators.begin(), operators.end(),
                            [&](auto& candidate) { return candidate.name == name; });
  return found == operators.end() ? nullptr : &*found;
}

bool combines(const operator_info& info) noexcept {
  return info.operand == takes::conditions || info.operand == takes::condition;
}

class compiler {
public:
  explicit compiler(problems& errors) : errors_(errors) {}

  /// Compiles as much as there is sense in, so that every problem is found.
  node compile(const value& written, const std::string& pointer, std::size_t depth) {
    if (written.boolean())
      return {op::constant, {}, {}, written, false};
    if (!written.members())
      report("wrong_type", pointer,
             std::string{"a condition is an object, `true` or `false`, not "}
                 + to_string(written.kind()));
    else if (depth >= limits::value_depth_max)
      report("too_deep", pointer,
             "at most " + std::to_string(limits::value_depth_max)
                 + " conditions may lie in each other");
    else if (auto info = operator_of(*written.members(), pointer))
      return combines(*info) ? combination(*info, *written.members(), pointer, depth)
                             : test(*info, *written.members(), pointer);
    return {};
  }

private:
  void report(const char* code, const std::string& pointer, std::string detail) {
    errors_.push_back({code, pointer, std::move(detail)});
  }

  /// The only operator, or null and a report.
  const operator_info* operator_of(const value::object& members, const std::string& pointer) {
    const operator_info* found = nullptr;
    bool unknown = false;
    for (auto& [key, operand] : members) {
      auto info = find_operator(key);
      if (info && found)
        return report("two_operators", pointer,
                      quoted(found->name) + " and " + quoted(key)
                          + ": a test has one operator; combine tests by `and`, `or`, `not`"),
               nullptr;
      if (info)
        found = info;
      else if (key != "path" && key != "ignore_case")
        unknown = report_unknown(key, at(pointer, key));
    }
    if (!found && !unknown)
      report("missing_operator", pointer, "a test has one operator: " + operator_names());
    return found;
  }

  bool report_unknown(const std::string& key, const std::string& pointer) {
    std::vector<std::string_view> known{"path", "ignore_case"};
    for (auto& info : operators)
      known.push_back(info.name);
    report("unknown_operator", pointer,
           quoted(key) + " is no operator; allowed are " + operator_names()
               + did_you_mean(key, known));
    return true;
  }

  static std::string operator_names() {
    std::vector<std::string_view> names;
    for (auto& info : operators)
      names.push_back(info.name);
    return listed(names);
  }

  node combination(const operator_info& info, const value::object& members,
                   const std::string& pointer, std::size_t depth) {
    node made{info.code, {}, {}, {}, false};
    for (auto key : {"path", "ignore_case"})
      if (members.contains(key))
        report("unknown_key", at(pointer, key),
               quoted(key) + " belongs into a test, not beside " + quoted(info.name));
    auto& operand = members.find(info.name)->second;
    auto below = at(pointer, info.name);
    if (info.operand == takes::condition) {
      made.parts.push_back(compile(operand, below, depth + 1));
    } else if (auto items = operand.items(); items && !items->empty()) {
      for (std::size_t i = 0; i < items->size(); ++i)
        made.parts.push_back(compile((*items)[i], at(below, i), depth + 1));
    } else {
      report(items ? "out_of_range" : "wrong_type", below,
             quoted(info.name) + " takes a list of at least one condition");
    }
    return made;
  }

  node test(const operator_info& info, const value::object& members, const std::string& pointer) {
    auto& operand = members.find(info.name)->second;
    node made{info.code, {}, path_of(members, pointer), operand, false};
    if (auto wanted = wrong_operand(info.operand, operand))
      report("wrong_operand", at(pointer, info.name), quoted(info.name) + " takes " + *wanted);
    if (auto found = members.find("ignore_case"); found != members.end())
      made.ignore_case = ignore_case_of(info, operand, found->second, at(pointer, "ignore_case"));
    return made;
  }

  pointer_steps path_of(const value::object& members, const std::string& pointer) {
    auto found = members.find("path");
    if (found == members.end())
      return {};
    auto text = found->second.string();
    auto steps = text ? parse_pointer(*text) : std::nullopt;
    if (!steps)
      report(text ? "bad_pointer" : "wrong_type", at(pointer, "path"),
             "a JSON Pointer (RFC 6901) is empty or begins with `/`; `~` is written `~0`, a `/` in "
             "a key `~1`");
    return steps.value_or(pointer_steps{});
  }

  bool ignore_case_of(const operator_info& info, const value& operand, const value& written,
                      const std::string& pointer) {
    auto flag = written.boolean();
    if (!flag)
      report("wrong_type", pointer, "`ignore_case` is `true` or `false`");
    else if (*flag && !(info.can_ignore_case && operand.string()))
      report("unknown_key", pointer,
             "`ignore_case` goes with a string and `eq`, `ne`, `contains`, `starts_with` or "
             "`ends_with`");
    return flag && *flag;
  }

  /// What the operator takes instead, if it does not take `operand`.
  static std::optional<std::string> wrong_operand(takes wanted, const value& operand) {
    auto text = operand.string();
    switch (wanted) {
    case takes::ordered:
      if (!text && !operand.is_number())
        return "a number or a string";
      break;
    case takes::list:
      if (!operand.items())
        return "a list";
      break;
    case takes::text:
      if (!text)
        return "a string";
      break;
    case takes::boolean:
      if (!operand.boolean())
        return "`true` or `false`";
      break;
    case takes::type:
      if (!text || std::find(types.begin(), types.end(), *text) == types.end())
        return "the name of a type: " + listed(types) + did_you_mean(text ? *text : "", types);
      break;
    default: break;
    }
    return {};
  }

  problems& errors_;
};

} // namespace

std::optional<condition> condition::compile(const value& written, const std::string& pointer,
                                            problems& errors) {
  auto before = errors.size();
  auto root = compiler{errors}.compile(written, pointer, 0);
  if (errors.size() != before)
    return {};
  condition made;
  made.root_ = std::make_shared<const node>(std::move(root));
  return made;
}

} // namespace troupe::core
