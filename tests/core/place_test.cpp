#include "core/place.hpp"
#include "tests/support/catch.hpp"

#include <random>
#include <unordered_set>

using namespace troupe;
using namespace troupe::core;
using namespace std::chrono_literals;

TEST_CASE("the slot of a queue never changes", "[core][golden]") {
  CHECK(int(place(namespace_id{0}, "default")) == 2516);
  CHECK(int(place(namespace_id{1}, "default")) == 1066);
  CHECK(int(place(namespace_id{0}, "default", 1)) == 2775);
  CHECK(int(place(namespace_id{0}, "")) == 1373);
}

TEST_CASE("slots of many queues are spread evenly over shards", "[core]") {
  std::array<int, 4> count{};
  for (int i = 0; i < 4000; ++i)
    ++count[index_of(shard_of(place(namespace_id{1}, "queue-" + std::to_string(i)), 4))];
  for (auto n : count)
    CHECK((n > 850 && n < 1150));
}

TEST_CASE("every slot has one shard, and shards share them evenly", "[core]") {
  for (std::uint16_t shards : {1, 3, 4, 64}) {
    CAPTURE(shards);
    std::vector<int> count(shards);
    for (std::uint16_t s = 0; s < slots; ++s)
      ++count.at(index_of(shard_of(slot(s), shards)));
    auto [least, most] = std::minmax_element(count.begin(), count.end());
    CHECK(*most - *least <= 1);
  }
}

TEST_CASE("an id is a UUIDv7 that holds its time and slot", "[core]") {
  random_bits random = std::mt19937_64{1};
  id_source ids;
  for (std::uint16_t s = 0; s < slots; s += 13) {
    auto id = ids.next(slot(s), shard_time{1'700'000'000'123ms}, random);
    CHECK(slot_of(id) == slot(s));
    CHECK(id.high >> 16 == 1'700'000'000'123);
    CHECK((id.high >> 12 & 0xf) == 7);
    CHECK(id.low >> 62 == 0b10);
    CHECK(parse_job_id(to_string(id)) == id);
  }
}

TEST_CASE("ids grow and are never repeated, whatever the clock does", "[core][random]") {
  auto seed = GENERATE(take(3, random(0, 1 << 30)));
  CAPTURE(seed);
  std::mt19937_64 engine(static_cast<std::uint64_t>(seed));
  random_bits none = [] { return 0; }; // The worst chance there is: always the same.
  id_source ids;
  job_id previous;
  shard_time now{1'700'000'000s};
  bool grows = true;
  for (int i = 0; i < 1'000'000; ++i) {
    if (i % 1000 == 0)
      now += std::chrono::milliseconds(int(engine() % 2001) - 1000);
    auto id = ids.next(slot{9}, now, none);
    grows = grows && id > previous;
    previous = id;
  }
  CHECK(grows);
}

TEST_CASE("ids of several slots differ in more than the slot", "[core]") {
  random_bits random = std::mt19937_64{3};
  id_source ids;
  std::unordered_set<std::uint64_t> seen;
  for (int i = 0; i < 10'000; ++i)
    seen.insert(ids.next(slot(i % 4096), shard_time{1s}, random).low);
  CHECK(seen.size() == 10'000);
}

TEST_CASE("a counter that is full borrows from the next millisecond", "[core]") {
  random_bits none = [] { return 0; };
  id_source ids;
  shard_time now{1000ms};
  auto last_of_ms = job_id{1000ull << 16 | 0x7000, 1ull << 63 | 0x3f'ffffull << 40};
  ids.saw(last_of_ms);
  auto id = ids.next(slot{0}, now, none);
  CHECK(id > last_of_ms);
  CHECK(id.high >> 16 == 1001);
  CHECK(ids.next(slot{0}, now, none) > id);
}

TEST_CASE("after recovery ids go on above every one in the journal", "[core]") {
  random_bits random = std::mt19937_64{5};
  id_source before, after;
  std::vector<job_id> journal;
  for (int i = 0; i < 100; ++i)
    journal.push_back(before.next(slot(i % 3), shard_time{5000ms}, random));
  for (auto at = journal.rbegin(); at != journal.rend(); ++at)
    after.saw(*at);                                        // In whatever order.
  auto id = after.next(slot{2}, shard_time{10ms}, random); // The clock went back.
  for (auto& old : journal)
    if (slot_of(old) == slot_of(id))
      CHECK(id > old);
}

TEST_CASE("a clock before 1970 makes ids all the same", "[core]") {
  random_bits random = std::mt19937_64{7};
  id_source ids;
  auto first = ids.next(slot{1}, shard_time{-5s}, random);
  CHECK(first.high >> 16 == 0);
  CHECK(slot_of(first) == slot{1});
  CHECK(ids.next(slot{1}, shard_time{5s}, random) > first);
}
