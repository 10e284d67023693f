#include "core/json_pointer.hpp"
#include "core/names.hpp"
#include "tests/support/catch.hpp"

#include <array>

using namespace troupe;
using namespace troupe::core;

TEST_CASE("names have 1 to 128 of few characters", "[core]") {
  for (auto name : {"a", "0", "A-Z.a_z:0", "...", "job"})
    CHECK(is_name(name));
  for (auto text : {"", "a b", "a/b", "ä", "loop[3]", "a\n", "a`"})
    CHECK_FALSE(is_name(text));
  CHECK(is_name(std::string(128, 'x')));
  CHECK_FALSE(is_name(std::string(129, 'x')));
  CHECK_FALSE(is_name(std::string_view{"a\0b", 3}));
}

TEST_CASE("a slip finds the name that was meant, and another word none", "[core]") {
  constexpr std::array<std::string_view, 5> known{"noop", "delay", "exec", "jq", "function"};
  CHECK(nearest("nop", known) == "noop");
  CHECK(nearest("dealy", known) == "delay");
  CHECK(nearest("funktion", known) == "function");
  CHECK(nearest("jg", known) == "jq");
  CHECK(nearest("excec", known) == "exec");
  CHECK(nearest("http", known).empty());
  CHECK(nearest("", known).empty());
  CHECK(nearest(std::string(1000, 'x'), known).empty());
  CHECK(did_you_mean("nop", known) == "; did you mean `noop`?");
  CHECK(did_you_mean("worker", known).empty());
}

TEST_CASE("a detail shows no more of a text than a name is long", "[core]") {
  CHECK(core::quoted("a") == "`a`");
  CHECK(core::quoted(std::string(128, 'x')) == "`" + std::string(128, 'x') + "`");
  CHECK(core::quoted(std::string(129, 'x')) == "`" + std::string(128, 'x') + "…`");
  const std::string most(127, 'x');
  CHECK(core::quoted(most + "ä…") == "`" + most + "…`");
}

TEST_CASE("a JSON Pointer leads where RFC 6901 says", "[core]") {
  const value document = value::object{
      {"foo", value::list{"bar", "baz"}}, {"", 0}, {"a/b", 1}, {"c%d", 2}, {"m~n", 8}};
  auto found = [&](const char* text) { return follow(document, *parse_pointer(text)); };
  CHECK(*found("") == document);
  CHECK(*found("/foo") == value{value::list{"bar", "baz"}});
  CHECK(*found("/foo/0") == value{"bar"});
  CHECK(*found("/") == value{0});
  CHECK(*found("/a~1b") == value{1});
  CHECK(*found("/c%d") == value{2});
  CHECK(*found("/m~0n") == value{8});
  for (auto nowhere : {"/foo/2", "/foo/-", "/foo/00", "/foo/+1", "/foo/0/x", "/a", "/foo/"})
    CHECK_FALSE(found(nowhere));
  for (auto wrong : {"foo", "/~", "/~2", "/a/~x", " /a"})
    CHECK_FALSE(parse_pointer(wrong));
}

TEST_CASE("steps are appended escaped", "[core]") {
  CHECK(at("/vertices", 3, "a/b~c") == "/vertices/3/a~1b~0c");
  CHECK(at("") == "");
  CHECK(parse_pointer(at("", "a/b~c", "", "~1")) == pointer_steps{"a/b~c", "", "~1"});
}
