#include "actors/answer_once.hpp"
#include "actors/blob_writer.hpp"
#include "actors/end_waiters.hpp"
#include "actors/recovery_watch.hpp"
#include "core/place.hpp"
#include "tests/support/engine_client.hpp"
#include "tests/support/held_blobs.hpp"
#include "tests/support/lone_shard.hpp"

#include <future>

using namespace troupe;
using namespace troupe::actors;
using tests::held_blobs;
using namespace std::chrono_literals;

namespace {

job_id job(std::uint8_t x) {
  job_id id;
  id.low = x;
  return id;
}

auto no_progress = [] { return std::uint64_t{0}; };

} // namespace

TEST_CASE("a blob writer counts the bytes that wait until they are durable", "[actors][bounds]") {
  auto disk = std::make_shared<held_blobs>();
  blob_writer writer{disk};
  std::promise<void> all;
  std::atomic<int> left = 2;
  auto done = [&](const result<core::blob_ref>& x) {
    CHECK(x);
    if (--left == 0)
      all.set_value();
  };
  writer.put({}, core::bytes(1000), done);
  writer.put({}, core::bytes(500), done);
  CHECK(writer.bytes_waiting() == 1500);
  disk->let.count_down();
  REQUIRE(all.get_future().wait_for(10s) == std::future_status::ready);
  CHECK(writer.bytes_waiting() == 0);
}

TEST_CASE("a disk that takes no blob fails the shards, and who gave the blob is told",
          "[actors][bounds]") {
  tests::lone_shard shard;
  auto shards = std::make_shared<shard_list>(1, shard.context);
  auto disk = std::make_shared<held_blobs>();
  disk->broken = true;
  disk->let.count_down();
  auto writer = std::make_shared<blob_writer>(disk);
  std::vector<ec> answers;
  make_put_blob(shards, writer)({}, core::bytes(10),
                                [&](const auto& x) { answers.push_back(x.code()); });
  writer.reset(); // It has answered.
  CHECK(answers == std::vector{ec::io_failed});
  CHECK(shard.context->log->state().code() == ec::io_failed);
}

TEST_CASE("a blob that is on its way when its node goes is answered, and none is taken after that",
          "[actors][bounds]") {
  auto broken = GENERATE(false, true);
  auto disk = std::make_shared<held_blobs>();
  disk->broken = broken;
  auto writer = std::make_shared<blob_writer>(disk);
  auto shards = std::make_shared<shard_list>(1, tests::lone_shard{}.context);
  std::weak_ptr left{shards};
  auto put = make_put_blob(shards, writer);
  std::vector<ec> answers;
  auto answered = [&](const auto& x) { answers.push_back(x.code()); };
  put({}, core::bytes(10), answered);
  shards.reset(); // The node has gone; a caller within `put` still has its writer.
  CHECK(left.expired());
  disk->let.count_down();
  writer.reset();
  CHECK(answers == std::vector{broken ? ec::io_failed : ec::none});
  put({}, core::bytes(10), answered);
  REQUIRE(answers.size() == 2);
  CHECK(answers[1] == ec::not_ready);
}

TEST_CASE("an engine that goes answers for the blobs that it was given", "[actors][bounds]") {
  runtime_config config;
  config.memory = true;
  std::optional<tests::engine_client> node{config};
  auto put = node->engine().env().put_blob;
  std::vector<ec> answers;
  auto answered = [&](const auto& x) { answers.push_back(x.code()); };
  put({}, core::bytes(100'000), answered);
  node.reset();
  CHECK(answers == std::vector{ec::none});
  put({}, core::bytes(100'000), answered);
  CHECK(answers == std::vector{ec::none, ec::not_ready});
}

TEST_CASE("those who gave up waiting for an end are forgotten", "[actors][bounds]") {
  end_waiters waiting{4};
  for (int i = 0; i < 100; ++i) {
    messages::end_waiter x{[](auto&) { FAIL("it gave up"); }};
    auto take_back = x.taker();
    waiting.emplace(job(1), std::move(x));
    take_back();
  }
  CHECK(waiting.size() <= 4);
  for (auto& x : waiting.take(job(1)))
    x(job_info{});
  CHECK(waiting.size() == 0);
}

TEST_CASE("too many who wait for an end are refused, submitters never", "[actors][bounds]") {
  end_waiters waiting{2};
  std::vector<ec> told;
  auto tell = [&](const result<job_info>& x) { told.push_back(x.code()); };
  for (int i = 0; i < 3; ++i)
    waiting.emplace(job(1), messages::end_waiter{tell});
  CHECK(told == std::vector{ec::overloaded});
  waiting.emplace(job(1), end_waiters::waiter::callback{tell});
  auto taken = waiting.take(job(1));
  CHECK(taken.size() == 3);
  for (auto& x : taken)
    x(job_info{});
  CHECK(told == std::vector{ec::overloaded, ec::none, ec::none, ec::none});
}

TEST_CASE("a callback that nobody can call any more is told not_ready", "[actors][bounds]") {
  std::vector<ec> told;
  auto make = [&] { return answered<status>([&](const status& x) { told.push_back(x.code()); }); };
  {
    auto dropped = make();
    auto copy = dropped;
  }
  CHECK(told == std::vector{ec::not_ready});
  {
    auto called = make();
    called(status{});
    called(status{});
  }
  CHECK(told == std::vector{ec::not_ready, ec::none});
}

TEST_CASE("a recovery is waited for as long as it makes progress", "[actors][bounds]") {
  recovery_watch watch;
  auto first = watch.expect(), second = watch.expect();
  first({});
  CHECK(watch.wait(1ms, no_progress).code() == ec::timed_out);
  std::uint64_t steps = 0;
  auto progress = [&] {
    std::this_thread::yield();
    return std::min<std::uint64_t>(++steps, 5);
  };
  CHECK(watch.wait(200ms, progress).code() == ec::timed_out);
  CHECK(steps > 5); // It looked until nothing changed any more.
  second({});
  CHECK(watch.wait(10s, no_progress));
}

TEST_CASE("a shard that cannot be recovered, or never will be, is told", "[actors][bounds]") {
  recovery_watch watch;
  auto first = watch.expect(), second = watch.expect();
  SECTION("by itself") { second(error{ec::blob_missing, "gone"}); }
  SECTION("by its supervisor") { watch.give_up({ec::blob_missing, "gone"}); }
  CHECK(watch.wait(10s, no_progress).code() == ec::blob_missing);
  first({});
}
