#include "actors/store_sweep.hpp"

#include <future>

namespace troupe::actors {

namespace {

/// Waits until all that was recorded so far is durable.
status settle(const std::vector<std::shared_ptr<shard_context>>& shards) {
  std::vector<std::future<status>> all;
  for (auto& shard : shards) {
    auto told = std::make_shared<std::promise<status>>();
    all.push_back(told->get_future());
    shard->log->hold(shard->log->head(), [told](const status& x) { told->set_value(x); });
  }
  auto until = std::chrono::steady_clock::now() + limits::sweep_settle_max;
  for (auto& x : all) {
    if (x.wait_until(until) != std::future_status::ready)
      return error{ec::not_ready, "the journal lags behind; blobs are swept later"};
    if (auto settled = x.get(); !settled)
      return settled;
  }
  return {};
}

} // namespace

std::unique_ptr<storage::blob_sweeper>
start_sweep(const store& of, const std::vector<std::shared_ptr<shard_context>>& shards,
            std::function<void(const std::string&)> report) {
  storage::sweep_parts parts;
  parts.blobs = of.blobs;
  for (auto& shard : of.shards)
    parts.views.push_back(shard.view);
  parts.settle = [shards] { return settle(shards); };
  if (report)
    parts.report = [report = std::move(report)](const error& why) {
      report("blobs of deleted jobs are not removed: " + why.detail);
    };
  auto made = std::make_unique<storage::blob_sweeper>(std::move(parts));
  made->start();
  return made;
}

} // namespace troupe::actors
