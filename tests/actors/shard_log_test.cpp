#include "actors/shard_log.hpp"
#include "tests/sim/sim_journal.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

using namespace troupe;
using namespace troupe::actors;
using tests::sim_journal;

namespace {

struct fixture {
  std::shared_ptr<sim_journal> journal = std::make_shared<sim_journal>();
  std::shared_ptr<storage::view> view = std::make_shared<storage::view>(core::shard_id{});
  core::shard_time clock{std::chrono::milliseconds{1000}};
  std::chrono::nanoseconds steady{};
  int woken = 0;
  std::shared_ptr<shard_log> log;
  std::vector<std::string> told;

  fixture() {
    auto found = journal->open(core::shard_id{});
    shard_log_parts parts;
    parts.journal = journal;
    parts.view = view;
    parts.wall_clock = [this] { return clock; };
    parts.steady_clock = [this] { return steady; };
    parts.wake = [this] { ++woken; };
    log = std::make_shared<shard_log>(std::move(parts), *found);
  }

  ~fixture() {
    journal->crash([] { return false; }); // What still waits would hold the log for ever.
  }

  core::record_group group(std::size_t bytes = 1) {
    core::job_added added;
    added.queue.assign(bytes, 'x');
    return {core::record{{}, {}, job_id{1, 2}, log->now(), added}};
  }

  output note(std::string name) {
    return [this, name](const status& x) { told.push_back(x ? name : name + " failed"); };
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "an output waits until what it reflects is durable", "[actors][gate]") {
  log->append(group(), note("answer"));
  log->hold(log->head(), note("read"));
  log->release();
  CHECK(told.empty());
  journal->complete(0);
  CHECK(woken == 1);
  CHECK(told.empty()); // Only on the thread that releases.
  log->release();
  CHECK(told == std::vector<std::string>{"answer", "read"});
}

TEST_CASE_METHOD(fixture, "what arrives during a write shares the next batch", "[actors][gate]") {
  log->append(group());
  auto second = log->append(group(), note("b"));
  CHECK(log->append(group(), note("c")) == second);
  journal->complete(0);
  log->release();
  CHECK(told.empty());
  journal->complete(0);
  log->release();
  CHECK(told == std::vector<std::string>{"b", "c"});
  CHECK(journal->durable(core::shard_id{}).size() == 2);
  CHECK(log->settled());
}

TEST_CASE_METHOD(fixture, "what reflects nothing newer than the disk leaves at once",
                 "[actors][gate]") {
  log->append(group());
  log->hold(0, note("old"));
  CHECK(woken == 1);
  log->release();
  CHECK(told == std::vector<std::string>{"old"});
}

TEST_CASE_METHOD(fixture, "a failed write fails all that waits and all that comes",
                 "[actors][gate]") {
  log->append(group(), note("first"));
  log->append(group(), note("second"));
  journal->fail_next();
  log->append(group(), note("third"));
  log->release();
  CHECK(told == std::vector<std::string>{"first failed", "second failed", "third failed"});
  CHECK(log->state().code() == ec::journal_failed);
  CHECK_FALSE(journal->has_waiting()); // Nothing is written after a failure.
}

TEST_CASE_METHOD(fixture, "the view has a batch before its outputs leave", "[actors][gate]") {
  core::job_added added;
  added.queue = "q";
  log->append({core::record{{}, {}, job_id{1, 2}, log->now(), added}}, [this](const status&) {
    told.push_back(view->find(job_id{1, 2}) ? "there" : "missing");
  });
  CHECK_FALSE(view->find(job_id{1, 2}));
  journal->complete(0);
  log->release();
  CHECK(told == std::vector<std::string>{"there"});
}

TEST_CASE_METHOD(fixture, "a batch stays below its limit; the rest has batches of its own",
                 "[actors][gate]") {
  log->append(group());
  for (int i = 0; i < 20; ++i)
    log->append(group(500'000));
  CHECK(log->gathered_bytes() > limits::batch_bytes_max);
  while (journal->has_waiting())
    journal->complete(0);
  auto& durable = journal->durable(core::shard_id{});
  CHECK(durable.size() > 2);
  for (auto& batch : durable)
    CHECK(batch.records.size() <= limits::batch_bytes_max);
  CHECK(log->gathered_bytes() == 0);
}

TEST_CASE_METHOD(fixture, "time never goes back", "[actors][gate]") {
  auto before = log->now();
  clock -= std::chrono::hours{1};
  CHECK(log->now() == before);
  log->saw(before + std::chrono::hours{1});
  CHECK(log->now() == before + std::chrono::hours{1});
}

TEST_CASE_METHOD(fixture, "time goes on evenly while the wall clock is behind", "[actors][gate]") {
  using namespace std::chrono_literals;
  auto before = log->now();
  clock -= 1h;
  for (int i = 1; i <= 5; ++i) {
    steady += 1600ms + 800us;
    clock += 1s;
    auto passed = i * 1600ms + i * 800us / 1ms * 1ms;
    CHECK(log->now() == before + passed - passed / 16);
  }
  log->saw(before + 2h);
  steady += 16s;
  CHECK(log->now() == before + 2h + 15s);
  clock = before + 3h;
  CHECK(log->now() == before + 3h);
  steady += 900us; // The wall clock goes before.
  CHECK(log->now() == before + 3h);
}

TEST_CASE_METHOD(fixture, "a wall clock that was set back catches up", "[actors][gate]") {
  using namespace std::chrono_literals;
  auto before = log->now();
  clock -= 1h;
  clock += 15h;
  steady += 15h;
  CHECK(log->now() > clock);
  clock += 1h;
  steady += 1h;
  CHECK(log->now() == clock);
  CHECK(log->now() == before + 15h);
  clock += 1s;
  CHECK(log->now() == clock); // As before.
}
