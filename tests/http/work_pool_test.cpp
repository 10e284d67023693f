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
  CHECK(pool.post([] {}, true));
  CHECK(pool.post([] {}, true));
  CHECK(pool.post([] {}, true));
  CHECK_FALSE(pool.post([] {}));
  CHECK(pool.post([] {}, true));
  opened.set_value();
}

TEST_CASE("a task may let go of the last of its pool's owners but one", "[http][pool]") {
  auto shared = std::make_shared<work_pool>(2, 4);
  std::promise<void> done;
  shared->post([&done, keep = shared] { done.set_value(); });
  done.get_future().wait();
  shared->end();
  CHECK(shared.use_count() == 1);
}
