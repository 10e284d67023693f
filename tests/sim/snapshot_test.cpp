#include "core/place.hpp"
#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/sanitized.hpp"

#include <caf/send.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;
namespace msg = troupe::messages;

namespace {

/// A world whose jobs come, end and go, with every part of the store at work.
class busy_store {
public:
  busy_store(std::uint64_t seed, std::uint16_t shards) : w{seed, shards} {
    w.window_bytes = seed % 3 == 0 ? 1 : seed % 3 == 1 ? 2000 : limits::snapshot_window_bytes_max;
    w.settings.retention = [](auto, auto& queue, job_state) {
      return storage::retention_rule{queue == "short" ? core::duration{1h} : core::duration{}, 0};
    };
    w.start();
  }

  /// A life of the store; a node that dies is started again, and goes on.
  void live() {
    submit_all();
    survive([&] { w.run(); });
    survive([&] { sweep(); });
    write_rows();
    survive([&] { w.settle(); });
    remove_some();
    survive([&] { w.settle(); });
    survive([&] { apply_all(); });
    for (auto& [id, client] : w.clients)
      client.may_be_gone = true;
    survive([&] { w.advance(2h); });
    survive([&] { w.advance(2min); });
    survive([&] { sweep(); });
    survive([&] { apply_all(); });
    submit_all(); // Graphs and blobs that were swept come again.
    survive([&] { w.run(); });
    survive([&] { sweep(); });
    w.crash();
    w.start();
    w.check_history();
  }

  world w;

private:
  void survive(const std::function<void()>& part) {
    for (;;)
      try {
        part();
        if (w.dead)
          throw node_died{};
        return;
      } catch (const node_died&) {
        w.read_events();
        w.crash();
        w.check_history();
        w.dies_at.reset();
        w.start();
      }
  }

  void submit_all() {
    w.submit(large(), "short", 0, "large");
    w.submit(mixed(), "default");
    w.submit(fatal(), "short");
    w.submit(impure_chain(), "other", 0, "chain");
  }

  void sweep() {
    w.settle();
    w.sweep();
  }

  void apply_all() {
    while (w.write_snapshot())
      ;
  }

  void write_rows() {
    for (auto queue : {"short", "default"}) {
      msg::write_rows m;
      m.queue = queue;
      m.rows = {{"a", core::bytes{1}}, {"b", core::bytes{2}}, {"a", {}}};
      m.done = [](auto&) {};
      auto to = core::shard_of(core::place({}, queue), w.shards);
      caf::anon_send(w.contexts[core::index_of(to)]->shard.get(), std::move(m));
    }
  }

  void remove_some() {
    std::size_t n = 0;
    for (auto& [id, client] : w.clients)
      if (client.accepted && ++n % 2 == 0)
        w.remove(id);
  }
};

} // namespace

TEST_CASE("after a crash at any failpoint the store is what the whole journal tells",
          "[sim][crash][snapshot]") {
  auto shards = GENERATE(std::uint16_t{1}, std::uint16_t{4});
  std::uint64_t seed = GENERATE(take(1, random(1, 1 << 30)));
  busy_store calm{seed, shards};
  calm.live();
  for (auto name : {"before_append", "after_append", "before_write", "after_sync", "before_release",
                    "after_release", "before_apply", "before_commit", "after_commit", "after_drop",
                    "after_trim", "before_blob", "after_blob", "before_sweep", "while_marking",
                    "after_sweep"}) {
    CAPTURE(name);
    CHECK(calm.w.passed[name] > 1); // Else this proves little.
  }
  CHECK(std::ranges::any_of(calm.w.clients, [](auto& x) { return x.second.gone; }));
  for (std::uint64_t at = 1; at <= calm.w.hits; at = next_case(at)) {
    CAPTURE(seed, shards, at);
    busy_store x{seed + at, shards};
    x.w.dies_at = at;
    x.live();
  }
}

TEST_CASE("a crash while it recovers from a crash changes nothing of the store",
          "[sim][crash][snapshot]") {
  std::uint64_t first = GENERATE(take(1, random(1, 1 << 30)));
  for (std::uint64_t i = 0; i < 20; ++i) {
    busy_store x{first + i, static_cast<std::uint16_t>(i % 2 ? 4 : 1)};
    CAPTURE(x.w.seed);
    x.w.dies_at = 1 + x.w.chance() % 200;
    x.live();
    for (int crashes = 0; crashes < 4; ++crashes) {
      x.w.crash();
      x.w.hits = 0;
      x.w.dies_at = 1 + x.w.chance() % 10;
      x.w.start();
    }
    x.w.crash();
    x.w.dies_at.reset();
    x.w.start();
    x.w.check_history();
  }
}
