#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <map>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

constexpr int days = 8;
constexpr int days_until_full = 3; ///< Of retention, of the keys of requests, and one to spare.
constexpr int jobs_in_hour = 2;    ///< That end by themselves; two others do not.
constexpr auto patience = 10min;

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

/// Jobs that nobody has marked as gone yet.
std::vector<job_id> new_jobs(const world& w) {
  std::vector<job_id> all;
  for (auto& [id, client] : w.clients)
    if (!client.may_be_gone)
      all.push_back(id);
  return all;
}

/// A job that is asked to end while it runs, and one behind it that expires before that.
void submit_ended_early(world& w, core::job_request end) {
  w.submit(impure_chain(), "early");
  w.settle();
  auto running = new_jobs(w).at(0);
  w.expires_after = patience;
  w.submit(impure_chain(), "early");
  w.settle();
  w.advance(patience);
  w.expires_after = {};
  w.move(running, end);
  w.run();
}

std::string end_of(world& w, job_id id) {
  auto row = w.context(id).view->find(id);
  REQUIRE(row);
  return row->error.code == "expired" ? "expired" : to_string(row->state);
}

} // namespace

TEST_CASE("a store under steady load with retention stays flat over simulated days",
          "[sim][retention]") {
  std::uint64_t seed = GENERATE(take(1, random(1, 1 << 30)));
  CAPTURE(seed);
  world w{seed, 2};
  w.settings.running_jobs_max = 1; // Of a shard: what stands behind may expire.
  w.settings.retention = [](auto, auto&, job_state) { return storage::retention_rule{24h, 0}; };
  w.start();
  std::vector<store_size> sizes;
  std::uint64_t submitted = 0;
  std::map<std::string, int> ends;
  for (int hour = 0; hour < 24 * days; ++hour) {
    submit_ended_early(w, hour % 2 ? core::job_request::cancel : core::job_request::stop);
    for (int i = 0; i < jobs_in_hour; ++i, ++submitted)
      w.submit(submitted % 7 == 0   ? large()
               : submitted % 7 == 1 ? fatal()
                                    : failures(),
               "q" + std::to_string(submitted % 3), 0, "request " + std::to_string(submitted));
    w.run();
    for (auto id : new_jobs(w)) {
      ++ends[end_of(w, id)];
      w.clients[id].may_be_gone = true;
    }
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
  constexpr int hours = 24 * days, fatal_jobs = hours * jobs_in_hour / 7;
  CHECK(w.clients.size() == submitted + 2 * hours);
  CHECK(ends.size() == 5);
  CHECK(ends["cancelled"] == hours / 2);
  CHECK(ends["stopped"] == hours / 2);
  CHECK(ends["expired"] == hours);
  CHECK(ends["failed"] >= fatal_jobs);
  CHECK(ends["completed"] > 0);
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
