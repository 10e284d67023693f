#include "actors/event_ring.hpp"
#include "tests/support/catch.hpp"

using namespace troupe;
using namespace troupe::actors;

namespace {

constexpr job_id job{1, 1}, other{1, 2};

event made(job_id id, std::uint64_t number, std::size_t bytes = 10) {
  return {id, number, "log", true, {}, value::object{{"text", std::string(bytes, 'x')}}};
}

struct reader {
  event_ring& ring;
  std::uint64_t first = 0;

  std::pair<event_ring::found, std::vector<std::uint64_t>> read(std::uint64_t from,
                                                                std::size_t limit = 100) {
    std::vector<event> events;
    auto what = ring.read(job, from, limit, {}, events, first);
    std::vector<std::uint64_t> ids;
    for (auto& x : events)
      ids.push_back(x.id);
    return {what, ids};
  }
};

using ids = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("a reader gets the events of its job from where it wants", "[actors][ring]") {
  event_ring ring{1 << 20};
  reader r{ring};
  CHECK(r.read(1).first == event_ring::found::gone); // Nobody watches.
  CHECK(ring.open(job, 4) == 4);
  CHECK(ring.watches(job));
  CHECK_FALSE(ring.watches(other));
  CHECK(r.read(4).first == event_ring::found::nothing_yet);
  ring.push({made(job, 4), made(other, 1), made(job, 5)});
  ring.push({made(job, 6)});
  CHECK(r.read(4).second == ids{4, 5, 6});
  CHECK(r.read(5, 1).second == ids{5});
  CHECK(r.read(3).first == event_ring::found::gone); // Before it was watched: in the view.
  CHECK(r.first == 4);
}

TEST_CASE("a second reader joins where the first one is", "[actors][ring]") {
  event_ring ring{1 << 20};
  ring.open(job, 1);
  ring.push({made(job, 1), made(job, 2)});
  CHECK(ring.open(job, 3) == 1);
  ring.close(job);
  CHECK(ring.watches(job));
  ring.close(job);
  CHECK_FALSE(ring.watches(job));
}

TEST_CASE("a repeated event is dropped", "[actors][ring]") {
  event_ring ring{1 << 20};
  reader r{ring};
  ring.open(job, 1);
  ring.push({made(job, 1), made(job, 2)});
  ring.push({made(job, 2), made(job, 3)});
  CHECK(r.read(1).second == ids{1, 2, 3});
}

TEST_CASE("beyond the budget the oldest go and a slow reader is sent to the view",
          "[actors][ring]") {
  event_ring ring{10'000};
  reader r{ring};
  ring.open(job, 1);
  for (std::uint64_t i = 1; i <= 100; ++i)
    ring.push({made(job, i, 1000)});
  CHECK(r.read(1).first == event_ring::found::gone);
  CHECK(r.first > 80);
  auto [what, last] = r.read(r.first);
  CHECK(last.back() == 100);
  CHECK(last.size() < 20);
}

TEST_CASE("who awaits events is told once, when the next one comes", "[actors][ring]") {
  event_ring ring{1 << 20};
  ring.open(job, 1);
  int told = 0;
  ring.await(job, 1, [&] { ++told; });
  CHECK(told == 0);
  ring.push({made(other, 1)}); // Nobody reads that job.
  CHECK(told == 0);
  ring.push({made(job, 1)});
  ring.push({made(job, 2)});
  CHECK(told == 1);
}

TEST_CASE("who awaits what is there, is gone, or never comes is told at once", "[actors][ring]") {
  event_ring ring{1 << 20};
  int told = 0;
  auto count = [&] { ++told; };
  ring.await(job, 1, count); // Nobody watches.
  CHECK(told == 1);
  ring.open(job, 3);
  ring.await(job, 2, count); // Only in the view.
  CHECK(told == 2);
  ring.push({made(job, 3)});
  ring.await(job, 3, count);
  CHECK(told == 3);
  ring.await(job, 4, count);
  CHECK(told == 3);
  ring.shut();
  CHECK(told == 4);
  ring.await(job, 4, count);
  CHECK(told == 5);
}

TEST_CASE("a callback that holds the last reader of another job may go with its feed",
          "[actors][ring]") {
  event_ring ring{1 << 20};
  ring.open(job, 1);
  ring.open(other, 1);
  auto closes = std::shared_ptr<int>(new int, [&](int* x) {
    ring.close(other);
    delete x;
  });
  ring.await(job, 1, [closes = std::move(closes)] {});
  ring.close(job);
  CHECK_FALSE(ring.watches(other));
}
