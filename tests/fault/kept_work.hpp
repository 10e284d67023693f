#pragma once

#include "tests/fault/fault_graphs.hpp"
#include "tests/fault/store_checks.hpp"

namespace troupe::tests {

/// A data directory with ended jobs, one of them with a blob, and one that was killed; and what is
/// in it.
struct kept_work {
  scratch in;
  fs::path data = in.path() / ".troupe";
  kept_jobs jobs;

  kept_work() {
    graph_text large;
    large.vertex("large", "noop", R"({"output": ")" + std::string(100'000, 'x') + "\"}");
    in.write("large.json", large.text("large"));
    in.write("retries.json", retries_graph());
    in.write("naps.json", R"({"name": "naps", "vertices": [
      {"id": "a", "kind": "noop"}, {"id": "b", "kind": "delay", "config": {"for": "1h"}}],
      "edges": [{"from": "a", "to": "b"}]})");
    REQUIRE(troupe_with(in, {"run", "large.json"}).code == 0);
    REQUIRE(troupe_with(in, {"run", "retries.json"}).code == 0);
    process napping{in, {"run", "naps.json", "-o", "ndjson"}};
    REQUIRE(eventually([&] { return count(lines_of(napping.out()), "vertex_start", "b") > 0; }));
    napping.send(SIGKILL);
    napping.wait();
    jobs = jobs_of(data);
    REQUIRE(jobs.size() == 3);
  }

  fs::path at(const char* name) const { return in.path() / name; }

  /// Makes deleted pages in the snapshot, which make it worth while to compact it.
  void waste_pages() const {
    auto store = actors::open_store({.data_dir = data});
    REQUIRE(store);
    for (bool more = true; more;) {
      auto applied = store->writer->step();
      REQUIRE(applied);
      more = *applied;
    }
    for (int round = 0; round < 4; ++round)
      REQUIRE(storage::update(*store->tables, [&](storage::table_writer& to) -> status {
        core::bytes key{0, 0, 0, 0, 0, 0, 'q', 0, 'k'}, value(200'000);
        auto done = to.put(storage::table::rows, key, value);
        if (!done || round % 2 == 0)
          return done;
        auto gone = to.erase(storage::table::rows, key);
        return gone ? status{} : status{gone.error()};
      }));
    store->close();
  }
};

} // namespace troupe::tests
