#include "core/admission.hpp"
#include "core/place.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <random>

using namespace troupe;
using namespace troupe::core;
using namespace std::chrono_literals;

namespace {

job_id id_of(std::uint64_t n) { return {0x7000, n}; }
shard_time at(std::int64_t ms) { return shard_time{duration{ms}}; }

} // namespace

TEST_CASE("pending jobs leave in the order of their last arrival", "[core][admission]") {
  auto seed = GENERATE(take(20, random(1, 1 << 30)));
  CAPTURE(seed);
  std::mt19937_64 random{static_cast<std::uint64_t>(seed)};
  pending_queue queue;
  std::deque<job_id> model;
  std::uint64_t made = 0;
  for (int i = 0; i < 2000; ++i) {
    auto which = random() % 8;
    if (which < 3 || model.empty()) {
      model.push_back(id_of(++made));
      queue.push(model.back());
    } else if (which < 5) { // Paused; and maybe resumed: to the end of the queue.
      auto at = model.begin() + static_cast<std::ptrdiff_t>(random() % model.size());
      auto id = *at;
      model.erase(at);
      queue.remove(id);
      if (random() % 2) {
        model.push_back(id);
        queue.push(id);
      }
    } else {
      CHECK(queue.pop() == model.front());
      model.pop_front();
    }
    REQUIRE(queue.size() == model.size());
  }
}

TEST_CASE("jobs wake when they are due and not if they are no longer at rest",
          "[core][admission]") {
  auto seed = GENERATE(take(20, random(1, 1 << 30)));
  CAPTURE(seed);
  std::mt19937_64 random{static_cast<std::uint64_t>(seed)};
  wake_heap heap;
  std::vector<wake_heap::entry> model;
  std::int64_t now = 0;
  for (int i = 0; i < 2000; ++i) {
    auto which = random() % 6;
    if (which < 3) {
      wake_heap::entry x{at(now + static_cast<std::int64_t>(random() % 50)), id_of(random() % 200)};
      if (std::ranges::find(model, x) != model.end())
        continue;
      model.push_back(x);
      heap.push(x);
    } else if (which < 4 && !model.empty()) {
      auto gone = model.begin() + static_cast<std::ptrdiff_t>(random() % model.size());
      heap.remove(*gone);
      model.erase(gone);
    } else {
      now += static_cast<std::int64_t>(random() % 20);
      auto first = std::ranges::min_element(model);
      auto due = first != model.end() && first->at <= at(now);
      CHECK(heap.next() == (first == model.end() ? std::nullopt : std::optional{first->at}));
      CHECK(heap.pop(at(now)) == (due ? std::optional{*first} : std::nullopt));
      if (due)
        model.erase(first);
    }
    REQUIRE(heap.size() == model.size());
  }
}

TEST_CASE("new jobs are slowed above the soft limit and refused at the hard one",
          "[core][admission]") {
  auto delay = [](std::uint64_t lag) { return admission_delay({lag, 100, 200, true}); };
  CHECK(*delay(0) == 0ms);
  CHECK(*delay(100) == 0ms);
  CHECK(*delay(101) > 0ms);
  for (std::uint64_t lag = 101; lag < 199; ++lag)
    CHECK(*delay(lag) <= *delay(lag + 1));
  CHECK(*delay(199) <= duration{limits::admission_delay_max});
  CHECK(*delay(199) > duration{limits::admission_delay_max} * 9 / 10);
  CHECK(delay(200).code() == ec::overloaded);
  CHECK(admission_delay({0, 100, 200, false}).code() == ec::no_space);
}

TEST_CASE("a job expires at its time or after its while, whichever is earlier",
          "[core][admission]") {
  auto never = at(0);
  CHECK(expiry_of(never, duration{}, at(100)) == never);
  CHECK(expiry_of(at(150), duration{}, at(100)) == at(150));
  CHECK(expiry_of(never, 20ms, at(100)) == at(120));
  CHECK(expiry_of(at(150), 20ms, at(100)) == at(120));
  CHECK(expiry_of(at(110), 20ms, at(100)) == at(110));
  CHECK_FALSE(has_expired(never, at(100)));
  CHECK_FALSE(has_expired(at(101), at(100)));
  CHECK(has_expired(at(100), at(100)));
}

TEST_CASE("ids to come lie above all that were seen, in whatever slot", "[core][admission]") {
  std::mt19937_64 bits{7};
  random_bits random = bits;
  id_source old;
  std::vector<job_id> seen;
  for (int i = 0; i < 50; ++i)
    seen.push_back(old.next(slot(static_cast<std::uint16_t>(random() % slots)), at(5), random));
  id_source ids;
  for (auto id : seen)
    ids.saw(id);
  auto bound = ids.rise();
  for (auto id : seen)
    CHECK(id < bound);
  for (int i = 0; i < 50; ++i)
    CHECK(ids.next(slot(static_cast<std::uint16_t>(random() % slots)), at(5), random) >= bound);
}
