#include "node/readiness.hpp"

#include "tests/support/catch.hpp"

#include <set>

using namespace troupe;
using namespace troupe::node;

namespace {

store_stats well() {
  store_stats x;
  x.lag_soft_bytes = 10;
  x.lag_hard_bytes = 20;
  x.disk_free_bytes = 7;
  x.disk_needed_bytes = 9;
  return x;
}

/// The parts that keep jobs from being made.
std::set<std::string> wrong(const result<store_stats>& store, const status& audit = {}) {
  std::set<std::string> names;
  for (auto& x : ready_parts(store, audit))
    if (!x.now) {
      names.insert(x.name);
      CHECK_FALSE(x.now.error().detail.empty());
    }
  return names;
}

} // namespace

TEST_CASE("a node is ready for jobs while each part of it is", "[node][ready]") {
  CHECK(wrong(well()).empty());
  CHECK(wrong(store_stats{}).empty()); // In memory.
  auto full = well();
  full.new_jobs_have_space = false;
  CHECK(wrong(full) == std::set<std::string>{"disk"});
  auto parts = ready_parts(full, {});
  CHECK(parts.front().now.code() == ec::no_space);
  CHECK_THAT(parts.front().now.error().detail, Catch::Contains("7 bytes are free"));
  auto failed = well();
  failed.snapshot_is_written = false;
  CHECK(wrong(failed) == std::set<std::string>{"snapshot"});
  CHECK(wrong(well(), error{ec::no_space, "x"}) == std::set<std::string>{"audit"});
  CHECK(wrong(error{ec::not_ready, "closed"}) == std::set<std::string>{"store"});
}

TEST_CASE("a node is ready until the store lags so far that jobs are refused", "[node][ready]") {
  auto slow = well();
  slow.lag_bytes = 15; // Slowed, not refused.
  CHECK(wrong(slow).empty());
  slow.waiting_blob_bytes = 5;
  CHECK(wrong(slow) == std::set<std::string>{"lag"});
  slow.new_jobs_have_space = false;
  CHECK(wrong(slow) == std::set<std::string>{"disk", "lag"});
}
