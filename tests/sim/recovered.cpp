#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

namespace troupe::tests {

namespace {

constexpr std::size_t all_rows = 1000;

core::bytes records_of(storage::view& view, job_id id, const storage::view::graph_source& graphs) {
  core::bytes records;
  storage::view::replay_state from;
  CHECK(view.replay(id, graphs, from, [&](auto&, const core::record& r, auto&) {
    core::encode(r, records);
    return true;
  }));
  return records;
}

using named_blobs = std::set<std::pair<namespace_id, storage::sha256_digest>>;

named_blobs blobs_of(storage::view& view) {
  named_blobs all;
  CHECK(view.each_blob([&](namespace_id ns, auto& name) { all.emplace(ns, name); }));
  return all;
}

std::vector<storage::own_row> own_rows_of(storage::view& view) {
  std::vector<storage::own_row> all;
  auto scopes = view.row_scopes();
  REQUIRE(scopes);
  for (auto& in : std::set(scopes->begin(), scopes->end()))
    for (auto& row : *view.rows(in, {}, {}, all_rows))
      all.push_back(row);
  return all;
}

std::set<storage::expired_job> expired_in(storage::view& view, const storage::retention_rules& by) {
  auto found = view.expired(by, view.time() + std::chrono::hours{24}, all_rows);
  REQUIRE(found);
  return {found->begin(), found->end()};
}

/// The job that the key of a job's request stands for.
std::optional<job_id> found_by_key(storage::view& view, const storage::job_row& of) {
  auto found = view.find_request({{of.ns, of.spec.queue}, of.spec.idempotency_key}, view.time());
  REQUIRE(found);
  return *found ? std::optional{(*found)->id} : std::nullopt;
}

void check_same(storage::view& now, storage::view& model, const storage::view::graph_source& graphs,
                const storage::retention_rules& retention) {
  auto rows = rows_of(model);
  CHECK(rows_of(now) == rows);
  for (auto& row : rows) {
    CHECK(records_of(now, row.id, graphs) == records_of(model, row.id, graphs));
    if (!row.spec.idempotency_key.empty())
      CHECK(found_by_key(now, row) == found_by_key(model, row));
  }
  CHECK(*now.live({}, all_rows) == *model.live({}, all_rows));
  CHECK(*now.totals() == *model.totals());
  CHECK(*now.links() == *model.links());
  CHECK(*now.newest_id() == *model.newest_id());
  CHECK(now.durable() == model.durable());
  CHECK(now.time() == model.time());
  // What the tables still hold of deleted jobs may be named, too.
  CHECK(std::ranges::includes(blobs_of(now), blobs_of(model)));
  CHECK(own_rows_of(now) == own_rows_of(model));
  if (retention)
    CHECK(expired_in(now, retention) == expired_in(model, retention));
}

} // namespace

void world::check_recovered() {
  for (auto& shard : contexts) {
    CAPTURE(seed, shards, core::index_of(shard->id), crashes);
    storage::view model{shard->id};
    for (auto& batch : journal->durable(shard->id))
      model.add(batch);
    check_same(*shard->view, model, graphs(), settings.retention);
  }
}

} // namespace troupe::tests
