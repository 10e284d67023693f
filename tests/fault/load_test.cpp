#include "tests/fault/load_checks.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr std::uint64_t rounds_wanted = sanitized ? 15 : 40;
constexpr int verify_each = 10;
constexpr auto flood_patience = 280s;
#if defined(__SANITIZE_THREAD__)
constexpr auto slow_disk = "snapshot/data.mdb:20000"; // The host is slow, too.
#else
constexpr auto slow_disk = "snapshot/data.mdb:2500";
#endif

/// A host under load that is killed again and again.
class killed_host {
public:
  explicit killed_host(std::uint64_t seed) : random_(seed) {}

  void kill_once() {
    process host{in_, {"load", data_.string(), std::to_string(told.next())}, {}, TROUPE_LOAD_HOST};
    wait_for_moment(host);
    host.send(SIGKILL);
    auto was = host.wait();
    INFO(was.err);
    REQUIRE(was.code == killed);
    told.take(was.out);
  }

  /// Every promise holds.
  void check() const { check_promises(told, data_); }

  /// No record of any job has changed since the last time, and the verifier is content.
  void check_all() {
    auto now = jobs_of(data_);
    for (auto& [id, job] : kept_)
      if (auto found = now.find(id); found != now.end())
        CHECK(goes_on(job, found->second));
    kept_ = std::move(now);
    CHECK(wrong_in(data_) == "");
  }

  void finish() {
    CHECK(finish_load(data_) > 0);
    check_all();
  }

  promises told;
  std::uint64_t early = 0;    ///< Kills that did not wait until it was open,
  std::uint64_t applying = 0; ///< and those just after the snapshot was written.

private:
  /// At any time, after some answers, or while the snapshot takes a window in.
  void wait_for_moment(const process& host) {
    auto which = random_() % 4;
    auto answers = 1 + random_() % 40;
    auto written = [&] {
      std::error_code none;
      return fs::last_write_time(data_ / "snapshot" / "data.mdb", none);
    };
    auto before = written();
    if (which == 0)
      ++early;
    else if (which == 1)
      REQUIRE(eventually([&] { return lines_in(host.out()) > answers; }));
    else
      REQUIRE(eventually([&] { return lines_in(host.out()) > 0 && written() != before; }));
    applying += which > 1;
    auto most = which == 0 ? 500 : 30;
    ::poll(nullptr, 0, static_cast<int>(random_() % most)); // The moment is the fault.
  }

  static std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }

  std::mt19937_64 random_;
  scratch in_;
  fs::path data_ = in_.path() / "data";
  kept_jobs kept_;
};

} // namespace

TEST_CASE("kill -9 under load keeps every promise of the store, round after round",
          "[fault][load]") {
  auto seed = chosen_seed("kill -9 under load");
  CAPTURE(seed);
  auto rounds = setting("TROUPE_FAULT_ROUNDS", rounds_wanted);
  killed_host host{seed};
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    CAPTURE(round);
    host.kill_once();
    host.check();
    if (round % verify_each == 0)
      host.check_all();
  }
  host.finish();
  std::cout << rounds << " kills, " << host.early << " of them maybe before it was open, "
            << host.applying << " as the snapshot was written: " << host.told.acknowledged.size()
            << " jobs acknowledged, " << host.told.gone.size() << " deletions told" << std::endl;
  CHECK(host.told.acknowledged.size() > rounds);
  CHECK_FALSE(host.told.gone.empty());
}

TEST_CASE("a snapshot whose disk is slow lags so far only, then new jobs wait and are refused",
          "[fault][slow]") {
  scratch in;
  auto data = in.path() / "data";
  std::string told;
  {
    shim slow{in.path(), "TROUPE_SHIM_SLOW", slow_disk};
    process host{in, {"flood", data.string()}, {}, TROUPE_LOAD_HOST};
    auto until = std::chrono::steady_clock::now() + flood_patience;
    while (!has(host.out(), "\nagain\n") && std::chrono::steady_clock::now() < until)
      ::poll(nullptr, 0, 50);
    host.send(SIGKILL); // Most of it is in the journal alone.
    told = host.wait().out;
  }
  INFO(told.substr(told.size() - std::min<std::size_t>(told.size(), 2000)));
  REQUIRE(has(told, "\nagain\n")); // Admission goes on once the snapshot has come nearer.
  CHECK(has(told, "refused overloaded "));
  auto number = [&](const std::string& name) {
    return std::stoull(told.substr(told.find("\n" + name + " ") + name.size() + 2));
  };
  CHECK(number("slow") >= 100); // Before it was refused, admission waited.
  CHECK(number("lag") < limits::snapshot_lag_hard_bytes
                            + (limits::journal_spares_max + 2) * limits::segment_bytes_max);
  promises kept;
  std::istringstream lines{told};
  std::string acknowledged;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("+ "))
      acknowledged += line + "\n";
  kept.take(acknowledged);
  auto store = actors::read_store(data);
  INFO(why(store));
  REQUIRE(store);
  std::uint64_t behind = 0;
  for (auto& shard : store->shards)
    behind += shard.view->lag_bytes();
  CHECK(behind > 0);
  for (auto& [n, id] : kept.acknowledged) {
    auto shard = core::index_of(core::shard_of(slot_of(id), 4));
    CHECK(store->shards[shard].view->find(id));
  }
  std::cout << kept.acknowledged.size() << " jobs acknowledged before a kill with "
            << (behind >> 20) << " MiB in the journal alone" << std::endl;
}
