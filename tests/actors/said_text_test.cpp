#include "actors/said_text.hpp"
#include "tests/support/catch.hpp"

using namespace troupe;
using namespace troupe::actors;

namespace {

std::shared_ptr<said_budget> budget_of(std::size_t bytes) {
  return std::make_shared<said_budget>(bytes);
}

} // namespace

TEST_CASE("what an attempt says gathers until its job takes it", "[actors][said]") {
  said_text said{budget_of(1000)};
  CHECK(said.add("one\n"));
  CHECK_FALSE(said.add("two\n"));
  CHECK_FALSE(said.add("no end"));
  CHECK_FALSE(said.add(" of a line\n"));
  CHECK_FALSE(said.add(""));
  auto pieces = said.take();
  REQUIRE(pieces.size() == 2);
  CHECK(pieces[0].text == "one\ntwo\nno end");
  CHECK(pieces[1].text == " of a line\n");
  CHECK_FALSE(pieces[1].last);
  CHECK(said.take().empty());
  CHECK(said.add("more\n"));
}

TEST_CASE("lines are gathered up to a limit", "[actors][said]") {
  said_text said{budget_of(1 << 20)};
  auto line = std::string(999, 'x') + "\n";
  for (int i = 0; i < 20; ++i)
    said.add(line);
  auto pieces = said.take();
  REQUIRE(pieces.size() == 3);
  for (auto& x : pieces)
    CHECK(x.text.size() <= limits::said_gather_bytes_max);
}

TEST_CASE("attempts of a job say no more than its budget, and who ends it says so",
          "[actors][said]") {
  auto budget = budget_of(100);
  said_text one{budget}, two{budget};
  CHECK(one.add(std::string(60, 'x')));
  CHECK(two.add(std::string(37, 'y') + "12\u20ac345")); // The euro sign does not fit.
  CHECK_FALSE(two.add("more"));
  CHECK_FALSE(one.add("more"));
  auto first = one.take(), second = two.take();
  REQUIRE(first.size() == 1);
  CHECK_FALSE(first[0].last);
  REQUIRE(second.size() == 1);
  CHECK(second[0].text == std::string(37, 'y') + "12");
  CHECK(second[0].last);

  one.give_back(first[0].cost); // It was not the current attempt.
  CHECK(two.add(std::string(60, 'z')));
}

TEST_CASE("text without an end of line counts at least its event", "[actors][said]") {
  said_text said{budget_of(10 * limits::said_bytes_least)};
  for (int i = 0; i < 1000; ++i)
    said.add("x");
  auto pieces = said.take();
  CHECK(pieces.size() == 10);
  CHECK(pieces.back().last);
}
