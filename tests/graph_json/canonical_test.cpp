#include "graph_json/value_json.hpp"
#include "tests/support/catch.hpp"

#include <bit>
#include <cstdint>

using namespace troupe;
using namespace troupe::graph_json;

TEST_CASE("numbers are written as RFC 8785, appendix B, lists them", "[graph_json]") {
  struct row {
    std::uint64_t bits;
    const char* text;
  };
  auto [bits, text] = GENERATE(values<row>({
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  }));
  CAPTURE(bits);
  CHECK(canonical(std::bit_cast<double>(bits)) == text);
}

TEST_CASE("NaN and infinity are null", "[graph_json]") {
  CHECK(canonical(std::bit_cast<double>(std::uint64_t{0x7fffffffffffffff})) == "null");
  CHECK(canonical(std::bit_cast<double>(std::uint64_t{0x7ff0000000000000})) == "null");
}

TEST_CASE("integers are written exactly", "[graph_json]") {
  CHECK(canonical(std::int64_t{9007199254740993}) == "9007199254740993");
  CHECK(canonical(-7) == "-7");
  CHECK(canonical(1.0) == canonical(1));
}

TEST_CASE("keys are in order of UTF-16 code units", "[graph_json]") {
  // RFC 8785, section 3.2.3.
  auto x = parse_value(R"({"\u20ac": "Euro Sign", "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One", "\ud83d\ude00": "Emoji: Grinning Face",
    "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"})");
  REQUIRE(x);
  CHECK(canonical(*x)
        == "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
           "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
           "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
           "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

TEST_CASE("strings are escaped as little as possible", "[graph_json]") {
  // RFC 8785, section 3.2.2.
  auto x = parse_value(R"({"numbers": [333333333.33333329, 1E30, 4.50, 2e-3,
    0.000000000000000000000000001], "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]})");
  REQUIRE(x);
  CHECK(canonical(*x)
        == "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
           "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
  CHECK(canonical("\b\t\n\f\r\x01\x7f") == "\"\\b\\t\\n\\f\\r\\u0001\x7f\"");
}
