#include "tests/fault/load_checks.hpp"
#include "tests/fault/records.hpp"

#include <mutex>

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr int backups = 3;
constexpr std::uint64_t answers_between = 60;

std::uint64_t lines_in(const std::string& text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

/// Opened, a copy goes on: what had no recorded result runs once more, and nothing else. How many
/// ran.
int check_goes_on(const fs::path& data, const kept_jobs& jobs) {
  std::map<std::int64_t, int> wanted, calls;
  auto successes = [&](job_id id) { return recorded_successes(data, to_string(id))["twice"]; };
  for (auto& [id, job] : jobs)
    wanted[std::stoll(job.row.spec.labels.at("n"))] = 1 - successes(id);
  std::mutex mutex;
  CHECK(finish_load(data,
                    [&](std::int64_t n) {
                      std::scoped_lock lock{mutex};
                      ++calls[n];
                    })
        == jobs.size());
  for (auto& [id, job] : jobs)
    CHECK(successes(id) == 1);
  int ran = 0;
  for (auto& [n, times] : wanted) {
    CAPTURE(n);
    CHECK(calls[n] == times);
    ran += calls[n];
  }
  CHECK(wrong_in(data) == "");
  return ran;
}

} // namespace

TEST_CASE("a backup of a busy host holds all that was told before it began, and goes on",
          "[fault][backup]") {
  scratch in;
  int ran = 0;
  auto data = in.path() / "data";
  process host{in, {"load", data.string(), "0", "20", "0", "50"}, {}, TROUPE_LOAD_HOST};
  for (int i = 0; i < backups; ++i) {
    CAPTURE(i);
    auto most = lines_in(host.out()) + answers_between;
    REQUIRE(eventually([&] { return lines_in(host.out()) > most; }));
    promises before, after;
    before.take(host.out());
    auto to = in.path() / ("backup" + std::to_string(i)), again = to;
    again += ".restored";
    auto made = troupe_with(in, {"backup", "--data", data.string(), to.string()});
    INFO(made.err);
    REQUIRE(made.code == 0);
    after.take(host.out()); // What it removed meanwhile may be gone.
    auto online = troupe_with(in, {"verify", "--online", "--data", data.string()});
    INFO(online.out << online.err);
    CHECK(online.code == 0);
    CHECK(wrong_in(to) == "");
    REQUIRE(troupe_with(in, {"restore", to.string(), "--data", again.string()}).code == 0);
    CHECK(wrong_in(again) == "");
    auto restored = jobs_of(again);
    for (auto& [n, id] : before.acknowledged) {
      CAPTURE(n, to_string(id));
      if (before.gone.contains(id))
        CHECK_FALSE(restored.contains(id));
      else if (!after.may_be_gone.contains(id))
        CHECK(restored.contains(id));
    }
    CHECK(before.acknowledged.size() > before.gone.size());
    ran += check_goes_on(again, restored);
  }
  CHECK(ran > 0);
  host.send(SIGKILL);
  CHECK(host.wait().code == killed);
}
