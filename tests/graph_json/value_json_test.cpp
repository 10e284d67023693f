#include "graph_json/value_json.hpp"

#include "graph_json/exact_json.hpp"
#include "tests/graph_json/random_values.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

#include <clocale>
#include <cmath>
#include <limits>

using namespace troupe;
using namespace troupe::graph_json;

namespace {

value parsed(std::string_view text) {
  auto x = parse_value(text);
  INFO(text);
  REQUIRE(x);
  return *x;
}

std::string refusal(std::string_view text) {
  auto x = parse_value(text);
  INFO(text);
  REQUIRE_FALSE(x);
  CHECK(x.code() == ec::invalid_spec);
  CHECK(x.error().detail.find("json.exception") == std::string::npos);
  CHECK(x.error().detail.find("last read") == std::string::npos);
  return x.error().detail;
}

bool starts_with(const std::string& text, std::string_view head) {
  UNSCOPED_INFO(text);
  return std::string_view{text}.starts_with(head);
}

bool contains(const std::string& text, std::string_view part) {
  UNSCOPED_INFO(text);
  return text.find(part) != text.npos;
}

} // namespace

TEST_CASE("a JSON text becomes the value that it says", "[graph_json]") {
  auto x = parsed(R"( {"a": [null, true, -3, 2.0, "x\n\u00e9\ud83d\ude00"], "": {}} )");
  value wanted =
      value::object{{"a", value::list{nullptr, true, -3, 2.0, "x\n\xc3\xa9\xf0\x9f\x98\x80"}},
                    {"", value::object{}}};
  CHECK(x == wanted);
  CHECK(parsed("\"a\\u0000b\"") == value{std::string{"a\0b", 3}});
}

TEST_CASE("integers of 64 bits stay exact, larger ones become numbers", "[graph_json]") {
  CHECK(parsed("9223372036854775807") == value{std::numeric_limits<std::int64_t>::max()});
  CHECK(parsed("-9223372036854775808") == value{std::numeric_limits<std::int64_t>::min()});
  CHECK(parsed("9223372036854775808") == value{9223372036854775808.0});
  CHECK(parsed("18446744073709551616") == value{18446744073709551616.0});
  CHECK(parsed("-9223372036854775809") == value{-9223372036854775808.0});
  CHECK(parsed("-0") == value{0});
  CHECK(std::signbit(*parsed("-0.0").number()));
}

TEST_CASE("integers that would lose digits are told with their places", "[graph_json]") {
  auto places = [](std::string_view text) {
    auto x = parse_exact(text);
    REQUIRE(x);
    std::vector<std::string> all;
    for (auto& problem : x->rounded) {
      CHECK(problem.code == "out_of_range");
      all.push_back(problem.pointer);
    }
    return all;
  };
  using found = std::vector<std::string>;
  CHECK(places("18446744073709551615") == found{""});
  CHECK(places("-9223372036854775809") == found{""});
  CHECK(places(R"({"a":[1,{"b/c":[0,9223372036854775808]}],"d":123456789012345678901234567890})")
        == found{"/a/1/b~1c/1", "/d"});
  for (auto kept : {"9223372036854775807", "-9223372036854775808", "1e30", "0.1234567890123456789",
                    "18446744073709551615.0", "10000000000000000000", "18446744073709552000"})
    CHECK(places(kept).empty());
  // What a double is written as can be read again.
  for (auto x : {1e19, 18446744073709551616.0, 1.2345678901234567e20, -9.3e18})
    CHECK(places(canonical(x)).empty());
  CHECK(parse_ndjson("1\n[18446744073709551615]\n").code() == ec::invalid_spec);
  CHECK(contains(parse_exact(std::string(300, '9'))->rounded.front().detail, "\u2026"));
}

TEST_CASE("a fault says where and what was expected", "[graph_json]") {
  CHECK(starts_with(refusal("{\"a\"\n 1}"), "line 2, column 2 (byte 6): "));
  CHECK(contains(refusal("{\"a\"\n 1}"), "expected ':'"));
  CHECK(starts_with(refusal(""), "line 1, column 1 (byte 0): "));
  CHECK(starts_with(refusal("[1,"), "line 1, column 4 (byte 3): "));
  CHECK(contains(refusal("[1,"), "unexpected end of input"));
  CHECK(starts_with(refusal("[1]\n\n  x"), "line 3, column 3 (byte 7): "));
  CHECK(contains(refusal("[1]\n\n  2"), "expected end of input"));
}

TEST_CASE("what only looks like JSON is refused", "[graph_json]") {
  auto text =
      GENERATE(as<std::string>{}, "NaN", "Infinity", "-Infinity", "nan", "[1,]", "{\"a\":1,}", "01",
               "1.", ".5", "+1", "0x1", "'a'", "{a:1}", "[1] // x", "/* x */ 1", "\"\t\"",
               "\"\\x\"", "\"\\ud800\"", "\"abc", "tru", "[1}", "1 2", "[1]]", "1e400", "-1e400");
  refusal(text);
}

TEST_CASE("a number beyond every double is named as such", "[graph_json]") {
  CHECK(contains(refusal("[1e400]"), "a number is too large"));
  CHECK(parsed("1e-400") == value{0.0});
}

TEST_CASE("a byte of 0 does not end a text", "[graph_json]") {
  using namespace std::string_view_literals;
  CHECK(contains(refusal("[1]\0[2]"sv), "(byte 3): unexpected byte of 0"));
  refusal("[1]\0"sv);
  refusal("[1,\0"sv);
  refusal("\0"sv);
}

TEST_CASE("ill-formed UTF-8 is refused", "[graph_json]") {
  auto bytes = GENERATE(as<std::string>{}, "\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                        "\xe2\x82", "\xff");
  CHECK(contains(refusal("[\"" + bytes + "\"]"), "UTF-8"));
}

TEST_CASE("a key that stands twice is refused", "[graph_json]") {
  CHECK(refusal("{\"a\": {\"b\": 1, \"b\": 2}}")
        == "line 1, column 18 (byte 17): the key \"b\" stands twice in one object");
  CHECK(contains(refusal("{\"a\":1,\"\\u0061\":2}"), "stands twice"));
  parsed("[{\"a\":1},{\"a\":1}]");
}

TEST_CASE("nesting has a limit", "[graph_json]") {
  auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  parsed(nested(limits::value_depth_max));
  CHECK(contains(refusal(nested(limits::value_depth_max + 1)), "nested deeper than 64"));
  CHECK(contains(refusal(std::string(1'000'000, '[')), "column 65 (byte 64)"));
  std::string objects;
  for (std::size_t i = 0; i <= limits::value_depth_max; ++i)
    objects += "{\"a\":";
  CHECK(contains(refusal(objects), "nested deeper than 64"));
}

TEST_CASE("values a line are read, faults count in the whole text", "[graph_json]") {
  auto all = parse_ndjson("{\"a\":1}\r\n\n  \n2\n\"x\"");
  REQUIRE(all);
  CHECK(*all == value::list{value::object{{"a", 1}}, 2, "x"});
  CHECK(parse_ndjson("")->empty());
  auto bad = parse_ndjson("1\n\n[2\n3");
  REQUIRE_FALSE(bad);
  CHECK(starts_with(bad.error().detail, "line 3, column 3 (byte 5): "));
  CHECK_FALSE(parse_ndjson("1 2\n"));
}

TEST_CASE("a written value reads back as it was", "[graph_json]") {
  auto seed = std::random_device{}();
  CAPTURE(seed);
  tests::random_values random{seed};
  for (int i = 0; i < 2000; ++i) {
    auto x = random.any(4);
    CAPTURE(to_json(x));
    REQUIRE(parsed(to_json(x)) == x);
    REQUIRE(parsed(to_json_pretty(x)) == x);
    auto canon = canonical(x);
    REQUIRE(canonical(parsed(canon)) == canon);
  }
}

TEST_CASE("numbers stay numbers and integers integers", "[graph_json]") {
  CHECK(to_json(value{1.0}) == "1.0");
  CHECK(to_json(value{1}) == "1");
  CHECK(to_json(value{-0.0}) == "-0.0");
  CHECK(to_json(value{1e21}) == "1e+21");
  CHECK(to_json(value{0.1}) == "0.1");
  CHECK(to_json(value{std::numeric_limits<double>::quiet_NaN()}) == "null");
  CHECK(to_json(value{-std::numeric_limits<double>::infinity()}) == "null");
  CHECK(normal(1.0) == value{1});
  CHECK(normal(-0.0) == value{0});
  CHECK(normal(1.5) == value{1.5});
  CHECK(normal(1e300) == value{1e300});
}

TEST_CASE("a value over several lines is indented by two", "[graph_json]") {
  value x = value::object{{"a", value::list{1, value::object{}}}, {"b", value::list{}}};
  CHECK(to_json_pretty(x) == "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
  CHECK(to_json(x) == R"({"a":[1,{}],"b":[]})");
}

TEST_CASE("bytes that are no UTF-8 are replaced", "[graph_json]") {
  CHECK(to_json(value{"a\xff"
                      "b\xed\xa0\x80"})
        == "\"a\xef\xbf\xbd"
           "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST_CASE("a locale with a decimal comma changes nothing", "[graph_json]") {
  auto name = GENERATE(as<const char*>{}, "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8");
  if (!std::setlocale(LC_NUMERIC, name)) {
    WARN("no locale " << name);
    return;
  }
  auto text = to_json(value{1.5});
  auto back = parse_value("[2.5]");
  std::setlocale(LC_NUMERIC, "C");
  CHECK(text == "1.5");
  REQUIRE(back);
  CHECK(*back == value{value::list{2.5}});
}
