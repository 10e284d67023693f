#pragma once

#include "actors/graph_store.hpp"
#include "actors/store.hpp"
#include "tests/support/catch.hpp"

#include <map>

namespace troupe::tests {

/// How often each vertex of a job was recorded as succeeded, told by the journal itself.
inline std::map<std::string, int> recorded_successes(const std::filesystem::path& directory,
                                                     const std::string& job) {
  std::map<std::string, int> successes;
  auto store = actors::read_store(directory);
  REQUIRE(store);
  auto graphs = std::make_shared<actors::graph_store>(store->blobs);
  auto source = [graphs](namespace_id ns, const graph_id& id) {
    auto found = graphs->find(ns, id);
    return found ? *found : nullptr;
  };
  auto see = [&](const core::job& x, const core::record& r, const core::changes&) {
    auto note = [&](const core::vertex_outcome& end) {
      successes[x.plan->names[end.vertex]] += end.outcome == core::attempt_end::succeeded;
    };
    if (auto one = std::get_if<core::attempt_ended>(&r.body))
      note(one->end);
    if (auto group = std::get_if<core::vertices_ended>(&r.body))
      for (auto& end : group->ends)
        note(end);
    return true;
  };
  for (auto& shard : store->shards)
    if (storage::view::replay_state from; shard.view->find(*parse_job_id(job)))
      REQUIRE(shard.view->replay(*parse_job_id(job), source, from, see));
  return successes;
}

} // namespace troupe::tests
