#include "storage/memory_journal.hpp"

#include <map>
#include <mutex>

namespace troupe::storage {

namespace {

class memory_journal_impl final : public journal {
public:
  result<opened> open(core::shard_id shard, const opened& kept) override {
    std::scoped_lock lock{mutex_};
    auto& found = shards_[shard];
    found = newer(found, kept);
    found.epoch = core::epoch(static_cast<std::uint64_t>(found.epoch) + 1);
    return found;
  }

  status read(core::shard_id shard, core::position from, const reader&) override {
    std::scoped_lock lock{mutex_};
    if (shards_[shard].head >= std::max<core::position>(from, 1))
      return error{ec::unsupported, "a journal in memory keeps no batches; open a data directory"};
    return {};
  }

  void trim(core::shard_id, core::position) override {} // It keeps nothing.

  void append(batch next, done then) override { then(take(next)); }

private:
  ec take(const batch& next) {
    std::scoped_lock lock{mutex_};
    auto& shard = shards_[next.shard];
    if (next.epoch != shard.epoch || next.at != shard.head + 1)
      return ec::fenced;
    shard.head = next.at;
    return ec::none;
  }

  std::mutex mutex_;
  std::map<core::shard_id, opened> shards_;
};

} // namespace

std::unique_ptr<journal> memory_journal() { return std::make_unique<memory_journal_impl>(); }

} // namespace troupe::storage
