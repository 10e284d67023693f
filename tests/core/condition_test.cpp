#include "core/condition.hpp"

#include "core/compare.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

#include <limits>

using namespace troupe;
using namespace troupe::core;
using list = value::list;
using object = value::object;

namespace {

condition compiled(const value& written) {
  problems errors;
  auto made = condition::compile(written, "", errors);
  for (auto& x : errors)
    UNSCOPED_INFO(x.code << " " << x.pointer << " " << x.detail);
  REQUIRE(made);
  return *made;
}

bool holds(const value& written, const value& output) { return compiled(written).holds(output); }

value test(const char* op, const value& operand, const char* path = nullptr) {
  object made{{op, operand}};
  if (path)
    made.emplace("path", path);
  return made;
}

const value sample = object{
    {"status", "ok"},
    {"count", 3},
    {"ratio", 0.5},
    {"none", nullptr},
    {"flag", true},
    {"tags", list{"red", "Green", 7}},
    {"a/b", object{{"m~n", "deep"}}},
    {"", "empty key"},
};

} // namespace

TEST_CASE("a test compares what its path leads to", "[core]") {
  CHECK(holds(test("eq", "ok", "/status"), sample));
  CHECK_FALSE(holds(test("eq", "OK", "/status"), sample));
  CHECK(holds(test("eq", "deep", "/a~1b/m~0n"), sample));
  CHECK(holds(test("eq", "empty key", "/"), sample));
  CHECK(holds(test("eq", "Green", "/tags/1"), sample));
  CHECK(holds(test("eq", 5), 5));
  CHECK(holds(test("eq", 5, ""), 5));
  CHECK(holds(true, sample));
  CHECK_FALSE(holds(false, sample));
}

TEST_CASE("a path that leads nowhere makes every test but `ne` false", "[core]") {
  for (auto path : {"/no", "/status/x", "/tags/3", "/tags/01", "/tags/-", "/tags/-1", "/tags/",
                    "/tags/99999999999999999999", "/count/0"}) {
    INFO(path);
    for (auto op : {"eq", "lt", "le", "gt", "ge", "contains"})
      CHECK_FALSE(holds(test(op, "ok", path), sample));
    for (auto op : {"starts_with", "ends_with"})
      CHECK_FALSE(holds(test(op, "", path), sample));
    CHECK_FALSE(holds(test("in", list{nullptr}, path), sample));
    CHECK_FALSE(holds(test("is", "null", path), sample));
    CHECK(holds(test("ne", "ok", path), sample));
    CHECK(holds(test("exists", false, path), sample));
    CHECK_FALSE(holds(test("exists", true, path), sample));
  }
  CHECK(holds(test("exists", true, "/none"), sample));
  CHECK_FALSE(holds(test("exists", false, "/none"), sample));
}

TEST_CASE("numbers compare exactly, whatever their type", "[core]") {
  constexpr auto big = (std::int64_t{1} << 53) + 1;
  CHECK(holds(test("eq", 3.0, "/count"), sample));
  CHECK(holds(test("lt", 3.5, "/count"), sample));
  CHECK(holds(test("ge", 3, "/count"), sample));
  CHECK_FALSE(holds(test("gt", 3, "/count"), sample));
  CHECK_FALSE(holds(test("eq", static_cast<double>(big)), big));
  CHECK(holds(test("gt", static_cast<double>(big)), big));
  CHECK(holds(test("lt", big), static_cast<double>(big)));
  CHECK(holds(test("lt", 1e300), std::numeric_limits<std::int64_t>::max()));
  CHECK(holds(test("gt", -1e300), std::numeric_limits<std::int64_t>::min()));
  CHECK(holds(test("eq", -0x1p63), std::numeric_limits<std::int64_t>::min()));
  CHECK(holds(test("lt", -1), -1.5));
  CHECK(holds(test("gt", -2), -1.5));
  CHECK(holds(test("eq", list{object{{"x", 1.0}}}), list{object{{"x", 1}}}));
}

TEST_CASE("no test holds of a number that is none", "[core]") {
  auto nan = std::numeric_limits<double>::quiet_NaN();
  for (auto op : {"eq", "lt", "le", "gt", "ge"}) {
    CHECK_FALSE(holds(test(op, 1), nan));
    CHECK_FALSE(holds(test(op, nan), nan));
    CHECK_FALSE(holds(test(op, nan), 1));
  }
  CHECK(holds(test("ne", nan), nan));
}

TEST_CASE("what cannot be ordered is neither less nor greater", "[core]") {
  for (auto op : {"lt", "le", "gt", "ge"}) {
    CHECK_FALSE(holds(test(op, "3", "/count"), sample));
    CHECK_FALSE(holds(test(op, 3, "/status"), sample));
    CHECK_FALSE(holds(test(op, 0, "/none"), sample));
    CHECK_FALSE(holds(test(op, 1, "/flag"), sample));
    CHECK_FALSE(holds(test(op, "x", "/tags"), sample));
  }
  CHECK(holds(test("lt", "b"), "a"));
  CHECK(holds(test("lt", "a"), "B"));
  CHECK(holds(test("ge", "a"), "a"));
}

TEST_CASE("`in`, `contains`, `starts_with` and `ends_with` look into lists, objects and strings",
          "[core]") {
  CHECK(holds(test("in", list{1, 3.0}, "/count"), sample));
  CHECK_FALSE(holds(test("in", list{}, "/count"), sample));
  CHECK(holds(test("contains", "red", "/tags"), sample));
  CHECK(holds(test("contains", 7.0, "/tags"), sample));
  CHECK_FALSE(holds(test("contains", "re", "/tags"), sample));
  CHECK(holds(test("contains", "count"), sample));
  CHECK_FALSE(holds(test("contains", "coun"), sample));
  CHECK_FALSE(holds(test("contains", 3), sample));
  CHECK(holds(test("contains", "k", "/status"), sample));
  CHECK(holds(test("contains", "", "/status"), sample));
  CHECK_FALSE(holds(test("contains", "3", "/count"), sample));
  CHECK(holds(test("starts_with", "o", "/status"), sample));
  CHECK(holds(test("ends_with", "ok", "/status"), sample));
  CHECK_FALSE(holds(test("starts_with", "okay", "/status"), sample));
  CHECK_FALSE(holds(test("ends_with", "", "/count"), sample));
}

TEST_CASE("`ignore_case` folds ASCII letters only", "[core]") {
  auto folded = [](const char* op, const value& operand, const value& output) {
    return holds(object{{op, operand}, {"ignore_case", true}}, output);
  };
  CHECK(folded("eq", "HeLLo", "hEllO"));
  CHECK_FALSE(folded("ne", "HeLLo", "hEllO"));
  CHECK(folded("contains", "ELL", "hello"));
  CHECK(folded("contains", "GREEN", list{"red", "Green"}));
  CHECK(folded("contains", "KEY", object{{"Key", 1}}));
  CHECK(folded("starts_with", "HE", "hello"));
  CHECK(folded("ends_with", "LO", "hello"));
  CHECK_FALSE(folded("eq", "Ä", "ä"));
  CHECK_FALSE(folded("eq", "@", "`")); // They differ by the bit that letters differ by.
  CHECK(holds(object{{"eq", 3}, {"ignore_case", false}}, 3));
}

TEST_CASE("`is` tells the type, and integers are numbers without a fraction", "[core]") {
  const std::pair<const char*, value> samples[] = {
      {"null", nullptr}, {"boolean", true}, {"string", "x"}, {"list", list{}}, {"object", object{}},
  };
  for (auto& [type, x] : samples)
    for (auto& [other, y] : samples)
      CHECK(holds(test("is", type), y) == (std::string{type} == other));
  CHECK(holds(test("is", "integer"), 1));
  CHECK(holds(test("is", "number"), 1));
  CHECK(holds(test("is", "integer"), 1.0));
  CHECK_FALSE(holds(test("is", "integer"), 1.5));
  CHECK_FALSE(holds(test("is", "integer"), std::numeric_limits<double>::infinity()));
  CHECK(holds(test("is", "number"), 1.5));
  CHECK_FALSE(holds(test("is", "number"), "1"));
}

TEST_CASE("`and`, `or` and `not` combine conditions", "[core]") {
  for (bool a : {false, true})
    for (bool b : {false, true}) {
      CHECK(holds(object{{"and", list{a, b}}}, 1) == (a && b));
      CHECK(holds(object{{"or", list{a, b}}}, 1) == (a || b));
      CHECK(holds(object{{"not", a}}, b) == !a);
    }
  auto open = object{
      {"and", list{test("ge", 1, "/count"), object{{"not", test("eq", "failed", "/status")}}}}};
  CHECK(holds(open, sample));
}

TEST_CASE("a condition that is wrong names every problem and its place", "[core]") {
  using wrong = std::vector<std::pair<std::string, std::string>>;
  const std::pair<value, wrong> cases[] = {
      {3, {{"wrong_type", "/when"}}},
      {nullptr, {{"wrong_type", "/when"}}},
      {list{}, {{"wrong_type", "/when"}}},
      {object{}, {{"missing_operator", "/when"}}},
      {object{{"path", "/x"}}, {{"missing_operator", "/when"}}},
      {test("equals", 1), {{"unknown_operator", "/when/equals"}}},
      {object{{"eq", 1}, {"ne", 2}}, {{"two_operators", "/when"}}},
      {object{{"and", list{true}}, {"eq", 2}}, {{"two_operators", "/when"}}},
      {object{{"eq", 1}, {"pth", "/x"}}, {{"unknown_operator", "/when/pth"}}},
      {test("eq", 1, "x"), {{"bad_pointer", "/when/path"}}},
      {test("eq", 1, "/~2"), {{"bad_pointer", "/when/path"}}},
      {test("eq", 1, "/~"), {{"bad_pointer", "/when/path"}}},
      {object{{"eq", 1}, {"path", 1}}, {{"wrong_type", "/when/path"}}},
      {test("lt", nullptr), {{"wrong_operand", "/when/lt"}}},
      {test("le", true), {{"wrong_operand", "/when/le"}}},
      {test("gt", list{}), {{"wrong_operand", "/when/gt"}}},
      {test("ge", object{}), {{"wrong_operand", "/when/ge"}}},
      {test("in", "abc"), {{"wrong_operand", "/when/in"}}},
      {test("starts_with", 1), {{"wrong_operand", "/when/starts_with"}}},
      {test("ends_with", nullptr), {{"wrong_operand", "/when/ends_with"}}},
      {test("exists", "yes"), {{"wrong_operand", "/when/exists"}}},
      {test("is", "array"), {{"wrong_operand", "/when/is"}}},
      {test("is", 1), {{"wrong_operand", "/when/is"}}},
      {object{{"and", list{}}}, {{"out_of_range", "/when/and"}}},
      {object{{"or", list{}}}, {{"out_of_range", "/when/or"}}},
      {object{{"or", true}}, {{"wrong_type", "/when/or"}}},
      {object{{"not", list{true}}}, {{"wrong_type", "/when/not"}}},
      {object{{"not", true}, {"path", "/x"}}, {{"unknown_key", "/when/path"}}},
      {object{{"lt", "a"}, {"ignore_case", true}}, {{"unknown_key", "/when/ignore_case"}}},
      {object{{"eq", 1}, {"ignore_case", true}}, {{"unknown_key", "/when/ignore_case"}}},
      {object{{"eq", "a"}, {"ignore_case", 1}}, {{"wrong_type", "/when/ignore_case"}}},
      {object{{"and", list{test("eq", 1, "x"), 7, object{{"not", object{{"or", list{}}}}}}}},
       {{"bad_pointer", "/when/and/0/path"},
        {"wrong_type", "/when/and/1"},
        {"out_of_range", "/when/and/2/not/or"}}},
  };
  for (auto& [written, expected] : cases) {
    problems errors;
    CHECK_FALSE(condition::compile(written, "/when", errors));
    wrong found;
    for (auto& x : errors)
      found.emplace_back(x.code, x.pointer);
    CHECK(found == expected);
  }
}

TEST_CASE("an unknown operator is answered by those allowed and the one meant", "[core]") {
  problems errors;
  condition::compile(test("start_with", "a"), "", errors);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].detail.find("`ends_with`, `exists`, `is`") != std::string::npos);
  CHECK(errors[0].detail.find("did you mean `starts_with`?") != std::string::npos);
}

TEST_CASE("conditions lie in each other only so deep", "[core]") {
  auto nested = [](std::size_t levels) {
    value made = true;
    for (std::size_t i = 0; i < levels; ++i)
      made = object{{"not", std::move(made)}};
    return made;
  };
  CHECK(holds(nested(limits::value_depth_max), 1));
  problems errors;
  CHECK_FALSE(condition::compile(nested(limits::value_depth_max + 1), "", errors));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].code == "too_deep");
}

TEST_CASE("finding a part takes linear time where a naive search does not", "[core]") {
  constexpr std::size_t half = 500'000; // Naively 2.5 * 10^11 steps: beyond any time-out.
  std::string whole(2 * half, 'a'), part(half, 'a');
  part.back() = 'b';
  CHECK_FALSE(core::contains(whole, part, false));
  whole.back() = 'B';
  CHECK(core::contains(whole, part, true));
}

TEST_CASE("finding a part agrees with the standard library", "[core]") {
  const std::string letters = "ab";
  std::vector<std::string> words{""};
  for (std::size_t i = 0; words[i].size() < 6; ++i)
    for (auto c : letters)
      words.push_back(words[i] + c);
  for (auto& whole : words)
    for (auto& part : words)
      if (core::contains(whole, part, false) != (whole.find(part) != std::string::npos))
        FAIL(whole << " " << part);
}
