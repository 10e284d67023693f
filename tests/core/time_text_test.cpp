#include "core/time_text.hpp"

#include "tests/support/catch.hpp"

#include <random>

using namespace troupe::core;
using namespace std::chrono;

namespace {

shard_time at(std::int64_t ms) { return shard_time{milliseconds{ms}}; }

} // namespace

TEST_CASE("a time of RFC 3339 is read to the millisecond", "[core]") {
  CHECK(parse_time("1970-01-01T00:00:00Z") == at(0));
  CHECK(parse_time("2026-01-31T12:00:00Z") == at(1'769'860'800'000));
  CHECK(parse_time("1970-01-01T00:00:00.2509Z") == at(250));
  CHECK(parse_time("1970-01-01T00:00:00.5z") == at(500));
  CHECK(parse_time("1970-01-01t00:00:01.000000000000000Z") == at(1000));
  CHECK(parse_time("1969-12-31T23:59:59.999Z") == at(-1));
  CHECK(parse_time("1970-01-01T02:30:00+02:30") == at(0));
  CHECK(parse_time("1969-12-31T23:00:00-01:00") == at(0));
  CHECK(parse_time("0000-01-01T00:00:00Z"));
  CHECK(parse_time("9999-12-31T23:59:59.999Z"));
}

TEST_CASE("leap years have a 29th of February, and only they", "[core]") {
  for (auto year : {"2024", "2000", "0000", "1904"})
    CHECK(parse_time(std::string{year} + "-02-29T00:00:00Z"));
  for (auto year : {"2023", "1900", "2100", "2025"})
    CHECK_FALSE(parse_time(std::string{year} + "-02-29T00:00:00Z"));
  CHECK(*parse_time("2024-03-01T00:00:00Z") - *parse_time("2024-02-28T00:00:00Z") == hours{48});
}

TEST_CASE("a leap second reads as the second after it, and only at midnight UTC", "[core]") {
  CHECK(parse_time("2016-12-31T23:59:60Z") == parse_time("2017-01-01T00:00:00Z"));
  CHECK(parse_time("2017-01-01T00:59:60.5+01:00") == parse_time("2017-01-01T00:00:00.5Z"));
  CHECK_FALSE(parse_time("2016-12-31T22:59:60Z"));
}

TEST_CASE("what is no time of RFC 3339 is not read", "[core]") {
  for (auto text : {"",
                    "now",
                    "2026-01-31",
                    "2026-01-31T12:00:00",
                    "2026-01-31 12:00:00Z",
                    "2026-1-31T12:00:00Z",
                    "2026-13-01T00:00:00Z",
                    "2026-00-01T00:00:00Z",
                    "2026-01-00T00:00:00Z",
                    "2026-01-32T00:00:00Z",
                    "2026-04-31T00:00:00Z",
                    "2026-01-31T24:00:00Z",
                    "2026-01-31T12:60:00Z",
                    "2026-01-31T12:00:61Z",
                    "2026-01-31T12:00Z",
                    "2026-01-31T12:00:00.Z",
                    "2026-01-31T12:00:00,5Z",
                    "2026-01-31T12:00:00Zx",
                    "2026-01-31T12:00:00+1:00",
                    "2026-01-31T12:00:00+24:00",
                    "2026-01-31T12:00:00+01:60",
                    "2026-01-31T12:00:00+0100",
                    "+2026-01-31T12:00:00Z",
                    "-001-01-31T12:00:00Z",
                    "02026-01-31T12:00:00Z",
                    " 2026-01-31T12:00:00Z",
                    "0000-01-01T00:00:00+00:01",
                    "9999-12-31T23:59:60Z"}) {
    INFO(text);
    CHECK_FALSE(parse_time(text));
  }
}

TEST_CASE("a time is written in UTC with milliseconds", "[core]") {
  CHECK(to_text(at(0)) == "1970-01-01T00:00:00.000Z");
  CHECK(to_text(at(-1)) == "1969-12-31T23:59:59.999Z");
  CHECK(to_text(at(1'769'860'800'007)) == "2026-01-31T12:00:00.007Z");
  CHECK(to_text(shard_time::max()) == "9999-12-31T23:59:59.999Z");
  CHECK(to_text(shard_time::min()) == "0000-01-01T00:00:00.000Z");
}

TEST_CASE("every time that is written is read back", "[core]") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  std::uniform_int_distribution<std::int64_t> any{
      parse_time("0000-01-01T00:00:00Z")->time_since_epoch().count(),
      parse_time("9999-12-31T23:59:59.999Z")->time_since_epoch().count()};
  for (int i = 0; i < 10'000; ++i)
    if (auto time = at(any(random)); parse_time(to_text(time)) != time)
      FAIL(to_text(time));
}
