#pragma once

#include "actors/environment.hpp"
#include "tests/sim/sim_journal.hpp"

namespace troupe::tests {

/// A shard without an actor, over a journal that obeys the test.
struct lone_shard {
  std::shared_ptr<sim_journal> journal = std::make_shared<sim_journal>();
  std::shared_ptr<actors::shard_context> context = std::make_shared<actors::shard_context>();

  lone_shard() {
    auto& x = *context;
    x.env = std::make_shared<actors::environment>();
    x.view = std::make_shared<storage::view>(x.id);
    x.ring = std::make_shared<actors::event_ring>(limits::event_ring_bytes);
    actors::shard_log_parts parts;
    parts.shard = x.id;
    parts.journal = journal;
    parts.view = x.view;
    parts.wall_clock = [] { return core::shard_time{std::chrono::hours{1}}; };
    parts.steady_clock = [] { return std::chrono::nanoseconds{}; };
    parts.wake = [] {};
    x.log = std::make_shared<actors::shard_log>(std::move(parts), *journal->open(x.id));
  }
  ~lone_shard() {
    journal->crash([] { return false; }); // What still waits would hold the log for ever.
  }
};

} // namespace troupe::tests
