#pragma once

#include "storage/journal.hpp"

#include <deque>
#include <map>
#include <vector>

namespace troupe::tests {

/// A journal whose disk obeys the test: a batch is durable when the test says so. It outlives the
/// simulated node. Refuses what a real one must refuse: a lost epoch, a gap, reading what was
/// trimmed. The test alone still sees everything that was ever durable.
class sim_journal final : public storage::journal {
public:
  struct shard_state {
    core::epoch epoch{};
    std::vector<storage::batch> durable;
    core::position trimmed = 0; ///< Up to here nothing can be read.
  };

  result<storage::opened> open(core::shard_id id, const storage::opened& kept = {}) override {
    auto& shard = shards_[id];
    if (kept.head < shard.trimmed || kept.head > shard.durable.size())
      return error{ec::journal_corrupt, "batches that the snapshot needs are gone"};
    shard.epoch = core::epoch(static_cast<std::uint64_t>(shard.epoch) + 1);
    return storage::opened{shard.epoch, shard.durable.size()};
  }

  status read(core::shard_id id, core::position from, const reader& each) override {
    auto& durable = shards_[id].durable;
    if (from <= shards_[id].trimmed)
      return error{ec::journal_corrupt, "the batch was trimmed"};
    for (auto at = from; at <= durable.size(); ++at)
      if (auto done = each(durable[at - 1]); !done)
        return done;
    return {};
  }

  void trim(core::shard_id id, core::position upto) override {
    shards_[id].trimmed = std::max(shards_[id].trimmed, upto);
  }

  void append(storage::batch next, done then) override {
    waiting_.emplace_back(std::move(next), std::move(then));
  }

  bool has_waiting() const { return !waiting_.empty(); }

  /// One write, chosen among the shards, becomes durable and is answered.
  void complete(std::size_t choice) {
    auto [next, then] = take(choice % waiting_.size());
    then(persist(next));
  }

  /// The node dies: of what was being written, some became durable without an answer.
  void crash(const std::function<bool()>& persisted) {
    while (!waiting_.empty()) {
      auto next = take(0).first;
      if (persisted())
        (void)persist(next);
    }
  }

  /// A failed disk: this and every later write is refused.
  void fail_next() {
    auto [next, then] = take(0);
    then(error{ec::journal_failed, "the simulated disk has failed"});
  }

  const std::vector<storage::batch>& durable(core::shard_id id) { return shards_[id].durable; }

private:
  std::pair<storage::batch, done> take(std::size_t index) {
    auto at = waiting_.begin() + static_cast<std::ptrdiff_t>(index);
    auto taken = std::move(*at);
    waiting_.erase(at);
    return taken;
  }

  status persist(const storage::batch& x) {
    auto& shard = shards_[x.shard];
    if (x.epoch != shard.epoch || x.at != shard.durable.size() + 1)
      return ec::fenced;
    shard.durable.push_back(x);
    return {};
  }

  std::map<core::shard_id, shard_state> shards_;
  std::deque<std::pair<storage::batch, done>> waiting_;
};

} // namespace troupe::tests
