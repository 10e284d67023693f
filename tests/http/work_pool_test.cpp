#include "node/http/work_pool.hpp"

#include "tests/support/catch.hpp"

#include <atomic>
#include <future>
#include <memory>

using namespace troupe::http;

namespace {

/// A pool of one thread that is held by a task.
struct fixture {
  std::promise<void> opened, met;
  work_pool pool{1, 4};

  fixture() {
    pool.post([this, gate = opened.get_future().share()] {
      met.set_value();
      gate.wait();
    });
    met.get_future().wait();
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "a pool that ends drops what waits and does what goes on",
                 "[http][pool]") {
  std::atomic<int> done = 0;
  auto held = std::make_shared<int>();
  CHECK(pool.post([&done, held] { ++done; }));
  CHECK(pool.post([&done, held] { ++done; }, true));
  pool.drop();
  CHECK(held.use_count() == 1);
  CHECK_FALSE(pool.post([] {}));
  CHECK_FALSE(pool.post([] {}, true));
  opened.set_value();
  pool.end();
  CHECK(done == 0);
}

TEST_CASE_METHOD(fixture, "what waits for a pool is bounded by number and by bytes",
                 "[http][pool]") {
  CHECK(pool.post([] {}, false, work_waiting_bytes_max + 1)); // One always has room.
  CHECK_FALSE(pool.post([] {}, false, 1));
  CHECK(pool.waiting().bytes == work_waiting_bytes_max + 1);
  CHECK(pool.waiting().tasks == 1);
  opened.set_value();
}

TEST_CASE_METHOD(fixture, "what is always taken keeps no room from requests", "[http][pool]") {
  for (int i = 0; i < 10; ++i)
    CHECK(pool.post([] {}, true, work_waiting_bytes_max));
  CHECK(pool.waiting().tasks == 0);
  CHECK(pool.waiting().bytes == 0);
  for (int i = 0; i < 4; ++i)
    CHECK(pool.post([] {}, false, 1));
  CHECK_FALSE(pool.post([] {}));
  CHECK(pool.post([] {}, true));
  CHECK(pool.waiting().tasks == 4);
  CHECK(pool.waiting().bytes == 4);
  opened.set_value();
}

TEST_CASE_METHOD(fixture, "requests and what is always taken have their turns", "[http][pool]") {
  std::string order;
  std::promise<void> done;
  for (int i = 0; i < 3; ++i)
    pool.post([&] { order += 'a'; }, true);
  for (int i = 0; i < 2; ++i)
    pool.post([&] { order += 'r'; });
  pool.post([&] { done.set_value(); }, true);
  opened.set_value();
  done.get_future().wait();
  CHECK(order == "arara"); // The one that was held was a request.
  CHECK(pool.waiting().tasks == 0);
}

TEST_CASE("a task may let go of the last of its pool's owners but one", "[http][pool]") {
  auto shared = std::make_shared<work_pool>(2, 4);
  std::promise<void> done;
  shared->post([&done, keep = shared] { done.set_value(); });
  done.get_future().wait();
  shared->end();
  CHECK(shared.use_count() == 1);
}
