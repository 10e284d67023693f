#include "core/render.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

namespace troupe::tests {

namespace {

/// Adds the events that the durable records of a job make behind those that were read before.
void read_durable(storage::view& view, job_id id, const storage::view::graph_source& graphs,
                  storage::view::replay_state& from, std::vector<event>& to) {
  auto done = view.replay(id, graphs, from, [&](auto& job, auto& r, auto& seen) {
    return core::render(job, r, seen, [&](event&& x) { return to.push_back(std::move(x)), true; });
  });
  CHECK(done);
}

/// Follows the attempts of one job: only the one that runs may speak, end or be lost, and only
/// once.
class attempts_seen {
public:
  void see(const core::record& r) {
    if (auto started = std::get_if<core::attempt_started>(&r.body)) {
      start(started->vertex, started->proof);
    } else if (auto leased = std::get_if<core::attempt_leased>(&r.body)) {
      start(leased->vertex, leased->proof);
    } else if (auto ended = std::get_if<core::attempt_ended>(&r.body)) {
      CHECK(runs(ended->end.vertex, ended->proof));
      running_.erase(ended->end.vertex);
    } else if (auto lost = std::get_if<core::attempt_lost>(&r.body)) {
      CHECK(runs(lost->vertex, lost->proof));
      running_.erase(lost->vertex);
    }
  }

private:
  void start(core::vertex_index v, const core::token& proof) {
    CHECK_FALSE(running_.contains(v));
    CHECK(used_.insert(proof).second);
    running_[v] = proof;
  }

  bool runs(core::vertex_index v, const core::token& proof) const {
    auto found = running_.find(v);
    return found != running_.end() && found->second == proof;
  }

  std::map<core::vertex_index, core::token> running_;
  std::set<core::token> used_;
};

} // namespace

void world::read_events() {
  for (auto& [id, client] : clients) {
    if (client.first_live == 0)
      continue;
    std::vector<event> fresh;
    std::uint64_t first = 0;
    auto next = std::max<std::uint64_t>(client.first_live,
                                        client.events.empty() ? 1 : client.events.back().id + 1);
    context(id).ring->read(id, next, 1000, {}, fresh, first);
    if (fresh.empty() || (client.may_be_gone && !context(id).view->find(id)))
      continue;
    read_durable(*context(id).view, id, graphs(), client.replayed, client.durable);
    for (auto& x : fresh) {
      REQUIRE(x.id <= client.durable.size()); // G1: nothing is told that is not durable.
      CHECK(x == client.durable[x.id - 1]);   // G2: it will be told the same way for ever.
      client.events.push_back(std::move(x));
    }
  }
}

std::vector<storage::job_row> rows_of(storage::view& view) {
  storage::job_query query;
  std::vector<storage::job_row> all;
  do {
    auto page = view.list(query);
    REQUIRE(page);
    std::ranges::move(page->rows, std::back_inserter(all));
    query.before = page->next;
  } while (query.before);
  return all;
}

/// Every step of the job and its vertices is one of their tables; every success is recorded once.
void world::check_records(job_id id, storage::view& view) {
  std::map<core::vertex_index, int> successes;
  std::optional<core::job> before;
  attempts_seen attempts;
  storage::view::replay_state state;
  auto done = view.replay(id, graphs(), state, [&](const core::job& job, auto& r, auto&) {
    if (before)
      CHECK_FALSE(terminal(before->state)); // G5: terminal is terminal.
    if (auto moved = std::get_if<core::job_moved>(&r.body)) {
      REQUIRE(before);
      CHECK(before->state == moved->from);
      CHECK(job.state == moved->to);
    }
    attempts.see(r); // G4: a stale report changes nothing.
    auto count = [&](const core::vertex_outcome& x) {
      successes[x.vertex] += x.outcome == core::attempt_end::succeeded;
    };
    if (auto ended = std::get_if<core::attempt_ended>(&r.body))
      count(ended->end);
    if (auto ended = std::get_if<core::vertices_ended>(&r.body))
      for (auto& x : ended->ends)
        count(x);
    before = job;
    return true;
  });
  CHECK(done);
  for (auto& [vertex, times] : successes)
    CHECK(times <= 1); // G4: recorded exactly once.
}

void world::check_job(job_id id, storage::view& view) {
  CAPTURE(to_string(id));
  std::vector<event> durable; // From the beginning: it may have been snapshotted since.
  storage::view::replay_state state;
  read_durable(view, id, graphs(), state, durable);
  auto& client = clients[id];
  for (std::size_t i = 0; i < durable.size(); ++i)
    CHECK(durable[i].id == i + 1); // G2: gapless from 1.
  for (auto& x : client.events) {
    REQUIRE(x.id <= durable.size());
    CHECK(x == durable[x.id - 1]);
  }
  auto row = view.find(id);
  REQUIRE(row);
  if (terminal(row->state)) {
    CHECK(std::ranges::count(durable, "end", &event::type) == 1);
    CHECK(durable.back().type == "end");
  }
  check_records(id, view);
}

/// G1: what was accepted is there, what was told to be gone is gone.
void world::check_told(storage::view& view, std::uint16_t shard) {
  for (auto& [id, client] : clients) {
    if (core::index_of(core::shard_of(slot_of(id), shards)) != shard)
      continue;
    if (client.accepted && !client.may_be_gone)
      CHECK(view.find(id));
    if (client.gone)
      CHECK(view.find(id).code() == ec::no_such_job);
  }
}

void world::check_history() {
  CAPTURE(seed, shards);
  for (std::uint16_t i = 0; i < shards; ++i) {
    storage::view view{core::shard_id{i}};
    for (auto& batch : journal->durable(core::shard_id{i}))
      view.add(batch);
    for (auto& row : rows_of(view))
      check_job(row.id, view);
    check_told(view, i);
    CHECK(view.each_blob([this](namespace_id ns, const storage::sha256_digest& name) {
      CHECK(blobs->get(ns, name)); // What a record names is there.
    }));
  }
}

} // namespace troupe::tests
