#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

constexpr int days = 8;
constexpr int days_until_full = 3; ///< Of retention, of the keys of requests, and one to spare.
constexpr int jobs_in_hour = 2;

/// Rows of every table, and all bytes of them.
struct store_size {
  std::array<std::uint64_t, storage::tables> rows{};
  std::uint64_t bytes = 0;
};

store_size size_of(storage::table_store& tables) {
  store_size x;
  auto reader = tables.read();
  REQUIRE(reader);
  for (std::size_t i = 0; i < storage::tables; ++i) {
    auto cursor = (*reader)->cursor(storage::table(i));
    for (auto there = cursor->seek({}); there && *there; there = cursor->next()) {
      ++x.rows[i];
      x.bytes += cursor->key().size() + cursor->value().size();
    }
  }
  return x;
}

} // namespace

TEST_CASE("a store under steady load with retention stays flat over simulated days",
          "[sim][retention]") {
  std::uint64_t seed = GENERATE(take(1, random(1, 1 << 30)));
  CAPTURE(seed);
  world w{seed, 2};
  w.settings.retention = [](auto, auto&, job_state) { return storage::retention_rule{24h, 0}; };
  w.start();
  std::vector<store_size> sizes;
  std::uint64_t submitted = 0;
  for (int hour = 0; hour < 24 * days; ++hour) {
    for (int i = 0; i < jobs_in_hour; ++i, ++submitted)
      w.submit(submitted % 7 == 0 ? large() : failures(), "q" + std::to_string(submitted % 3), 0,
               "request " + std::to_string(submitted));
    w.run();
    for (auto& [id, client] : w.clients)
      client.may_be_gone = true;
    w.advance(1h);
    w.advance(1min);
    while (w.write_snapshot())
      ;
    if (hour % 24 != 23)
      continue;
    w.sweep();
    sizes.push_back(size_of(*w.tables));
    w.crash();
    w.start();
  }
  CHECK(w.clients.size() == submitted);
  auto& full = sizes[days_until_full];
  for (auto day = sizes.begin() + days_until_full; day != sizes.end(); ++day) {
    for (std::size_t i = 0; i < storage::tables; ++i) {
      CAPTURE(day - sizes.begin(), to_string(storage::table(i)), full.rows[i]);
      CHECK(day->rows[i] <= full.rows[i] + full.rows[i] / 10 + 2);
    }
    CHECK(day->bytes <= full.bytes + full.bytes / 5);
  }
  std::size_t blobs = 0;
  for (auto ns : *w.blobs->namespaces())
    blobs += w.blobs->list(ns)->size();
  CHECK(blobs < 10); // Graphs and the few contents that they make, swept and made again.
}
