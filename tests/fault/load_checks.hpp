#pragma once

#include "tests/fault/promises.hpp"
#include "tests/fault/store_checks.hpp"
#include "troupe/runtime.hpp"

namespace troupe::tests {

/// Every promise of `troupe-load-host load` holds in its data directory.
inline void check_promises(const promises& told, const fs::path& data) {
  if (!fs::exists(data / "MANIFEST")) {
    CHECK(told.acknowledged.empty());
    return;
  }
  auto store = actors::read_store(data);
  INFO(why(store));
  REQUIRE(store);
  auto find = [&](job_id id) {
    auto shard = core::index_of(core::shard_of(slot_of(id), store->directory->about().shards));
    return store->shards[shard].view->find(id);
  };
  for (auto& [n, id] : told.acknowledged) {
    CAPTURE(n, to_string(id));
    auto row = find(id);
    if (told.gone.contains(id))
      CHECK(row.code() == ec::no_such_job);
    else if (!told.may_be_gone.contains(id))
      CHECK(row.code() == ec::none);
  }
}

inline void check_events(runtime& node, job_id id) {
  auto reader = node.events(id);
  REQUIRE(reader);
  std::uint64_t last = 0;
  for (std::string_view type; type != "end";) {
    auto events = reader->next(patience);
    REQUIRE(events);
    REQUIRE_FALSE(events->empty());
    for (auto& x : *events)
      CHECK(x.id == ++last);
    type = events->back().type;
  }
}

/// All jobs that the host has left end as they should, told by gapless events. How many they are.
/// `called`, if set, gets the number of a job as its `twice` runs, on any thread.
inline std::size_t finish_load(const fs::path& data,
                               const std::function<void(std::int64_t)>& called = {}) {
  auto all = jobs_of(data);
  runtime_config config;
  config.data_dir = data;
  auto number = [](const value& x) { return *x.integer(); };
  auto node = runtime::open(
      config,
      {{"twice",
        [=](const value& in, auto&) {
          auto n = number(*in.find("job")->find("n"));
          if (called)
            called(n);
          return value{2 * n};
        },
        false},
       {"next", [=](const value& in, auto&) { return value{number(*in.find("in")) + 1}; }, true}});
  REQUIRE(node);
  for (auto& [id, job] : all) {
    CAPTURE(to_string(id));
    auto end = node->wait(id, patience);
    REQUIRE(end);
    CHECK(end->state == job_state::completed);
    auto result = std::int64_t{2 * std::stoll(end->labels.at("n")) + 1};
    CHECK(end->result == value{value::object{{"next", result}}});
    check_events(*node, id);
  }
  node->close();
  return all.size();
}

} // namespace troupe::tests
