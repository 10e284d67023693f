#include "storage/verify_shards.hpp"

#include "storage/own_thread.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

namespace troupe::storage {

namespace {

tables_summary& operator+=(tables_summary& x, const tables_summary& y) {
  x.jobs += y.jobs;
  x.records += y.records;
  x.bytes += y.bytes;
  x.counted = x.counted && y.counted;
  return x;
}

/// The shards of one check, which threads take one after another.
class shard_line {
public:
  shard_line(table_store& from, const shards_check& how)
      : from_(from), how_(how), parts_(how.directory.about().shards) {}

  /// Checks shards until none is left.
  void work() {
    for (auto i = next_++; i < parts_.size(); i = next_++) {
      try {
        check(static_cast<std::uint16_t>(i));
      } catch (...) {
        parts_[i].thrown = std::current_exception();
      }
    }
  }

  /// Once no thread works any more: adds up what there was.
  status end(tables_summary& sum, finding_list& to) {
    status done;
    for (auto& x : parts_) {
      if (x.thrown)
        std::rethrow_exception(x.thrown);
      sum += x.sum;
      to.take(std::move(x.found));
      if (done)
        done = x.done;
    }
    return done;
  }

private:
  struct part {
    tables_summary sum, told; ///< `told`: as the progress has it.
    finding_list found;
    status done;
    std::exception_ptr thrown;
  };

  void check(std::uint16_t i) {
    auto& x = parts_[i];
    auto& directory = how_.directory;
    graph_cache graphs{directory.files(), how_.blobs, how_.graphs};
    job_surroundings around{directory.about().shards, graphs, how_.blobs};
    auto options = how_.options;
    if (options.progress)
      options.progress = [&](const tables_summary& sum) { tell(x, sum); };
    x.done = check_tables(from_, core::shard_id{i}, around, options, x.sum, x.found);
  }

  void tell(part& x, const tables_summary& sum) {
    std::scoped_lock lock{telling_};
    x.told = sum;
    tables_summary all;
    for (auto& each : parts_)
      all += each.told;
    how_.options.progress(all);
  }

  table_store& from_;
  const shards_check& how_;
  std::vector<part> parts_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex telling_;
};

} // namespace

status check_shards(table_store& from, const shards_check& how, tables_summary& sum,
                    finding_list& to) {
  shard_line line{from, how};
  {
    std::vector<std::jthread> others;
    auto threads = std::min<std::size_t>(how.threads, how.directory.about().shards);
    for (std::size_t i = 1; i < threads; ++i)
      others.push_back(own_thread([&] { line.work(); }));
    line.work();
  }
  return line.end(sum, to);
}

} // namespace troupe::storage
