#include "core/duration.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

#include <random>

using namespace troupe;
using namespace std::chrono_literals;
using core::parse_duration;
using core::to_text;

TEST_CASE("durations read as people and ISO 8601 write them", "[core]") {
  CHECK(parse_duration("10s") == 10s);
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("1.5h") == 90min);
  CHECK(parse_duration("2m") == 2min);
  CHECK(parse_duration("1d") == 24h);
  CHECK(parse_duration("0s") == 0ms);
  CHECK(parse_duration("PT10S") == 10s);
  CHECK(parse_duration("P1DT2H") == 26h);
  CHECK(parse_duration("PT1H30M0.25S") == 90min + 250ms);
  CHECK(parse_duration("P1W") == 168h);
  CHECK(parse_duration("PT0.5M") == 30s);
}

TEST_CASE("parts of a millisecond are rounded up", "[core]") {
  CHECK(parse_duration("0.1ms") == 1ms);
  CHECK(parse_duration("0.0000000000000001s") == 1ms);
  CHECK(parse_duration("1.0010000000000s") == 1001ms);
  CHECK(parse_duration("0.0ms") == 0ms);
}

TEST_CASE("what is no duration is refused", "[core]") {
  auto text = GENERATE(as<std::string>{}, "", "10", "s", "-10s", "+1s", " 1s", "1s ", "1 s", "1.s",
                       ".5s", "1e3s", "1y", "1S", "1h30m", "P", "PT", "P1DT", "PT1", "P1Y", "P1M",
                       "PT1S2H", "PT1.5H2M", "P1.5DT1H", "-PT1S", "P-1D", "PT1H1H", "pt1s", "P1D2",
                       "P1DT2HT3M", "1msx", "inf", "nans", "1,5s");
  CAPTURE(text);
  CHECK_FALSE(parse_duration(text));
}

TEST_CASE("a duration is at most 100 years", "[core]") {
  CHECK(parse_duration("876000h") == limits::duration_max);
  CHECK(parse_duration("36500d") == limits::duration_max);
  CHECK_FALSE(parse_duration("876000.0001h"));
  CHECK_FALSE(parse_duration("36501d"));
  CHECK_FALSE(parse_duration("P36500DT0.001S"));
  CHECK_FALSE(parse_duration("99999999999999999999999999s"));
  CHECK_FALSE(parse_duration("18446744073709551617ms"));
}

TEST_CASE("the text of a duration is short and reads back exactly", "[core]") {
  CHECK(to_text(0ms) == "0s");
  CHECK(to_text(250ms) == "250ms");
  CHECK(to_text(90s) == "90s");
  CHECK(to_text(60s) == "1m");
  CHECK(to_text(36h) == "36h");
  CHECK(to_text(48h) == "2d");
  auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  for (int i = 0; i < 1000; ++i) {
    auto most = std::uint64_t(std::chrono::milliseconds{limits::duration_max}.count());
    std::chrono::milliseconds x{static_cast<std::int64_t>((random() % most) >> (random() % 42))};
    CAPTURE(x.count());
    REQUIRE(parse_duration(to_text(x)) == x);
  }
}
