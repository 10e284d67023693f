#include "node/doctor.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;

TEST_CASE("the doctor tells slow disks and those that are too fast", "[node]") {
  CHECK(judge_sync(200us).is == health::good);
  CHECK(judge_sync(30ms).is == health::odd);
  CHECK(judge_sync(5us).is == health::odd);
}

TEST_CASE("the doctor tells a clock that cannot be right", "[node]") {
  std::chrono::sys_seconds now = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};
  CHECK(judge_clock(now, {}, true).is == health::good);
  CHECK(judge_clock(now, now - 1h, true).is == health::good);
  CHECK(judge_clock(now, now + 1h, true).is == health::bad);
  CHECK(judge_clock(now, {}, false).is == health::odd);
  CHECK(judge_clock({}, {}, true).is == health::bad);
}

TEST_CASE("the doctor counts files and space as the node needs them", "[node]") {
  node_config x;
  x.http.connections_max = 1000;
  CHECK(judge_files(1024, 65536, x).is == health::good);
  CHECK(judge_files(1024, 1024, x).is == health::odd);
  constexpr std::uint64_t gib = 1 << 30;
  CHECK(judge_space(50 * gib, 100 * gib, x).is == health::good);
  CHECK(judge_space(gib / 2, 100 * gib, x).is == health::odd);
  CHECK(judge_space(gib / 8, 100 * gib, x).is == health::bad);
  x.min_free_bytes = gib;
  CHECK(judge_space(gib, 100 * gib, x).is == health::bad);
}

TEST_CASE("the doctor says what to do about all that is not good", "[node]") {
  tests::temp_dir directory;
  node_config x;
  x.runtime.data_dir = directory.path();
  x.http.port = 0;
  x.http.address = "0.0.0.0";
  auto all = examine(x);
  CHECK(all.size() == 11);
  for (auto& found : all) {
    INFO(found.of << ": " << found.what);
    CHECK_FALSE(found.what.empty());
    CHECK((found.is == health::good) == found.next.empty());
    CHECK((found.is == health::bad)
          == (found.of == "keys" || found.of == "file system" ? found.is == health::bad : false));
  }
  CHECK(all.back().of == "keys");
  CHECK(all.back().is == health::bad);
  CHECK(std::filesystem::is_empty(directory.path()));
}
