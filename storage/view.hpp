#pragma once

#include "core/job.hpp"
#include "storage/journal.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace troupe::storage {

/// What a list knows of a job without its vertices.
struct job_row {
  job_id id;
  namespace_id ns{};
  core::job_state state = core::job_state::pending;
  core::job_added spec;
  core::shard_time created{}, started{}, ended{};
  problem error;
};

/// What is durable of one shard: the one place that every read goes to. Thread-safe. It keeps the
/// batches that no snapshot holds and finds the records of a job in them; nothing is decoded
/// before someone asks.
class view {
public:
  /// Finds a compiled graph; null if it is not there.
  using graph_source =
      std::function<std::shared_ptr<const core::graph>(namespace_id, const graph_id&)>;

  explicit view(core::shard_id shard) : shard_(shard) {}

  /// Takes the records of the shard's next durable batch.
  void add(core::bytes records);

  std::optional<job_row> find(job_id id);

  /// Rows for which `keep` holds, newest first, at most `limit`.
  std::vector<job_row> list(const std::function<bool(const job_row&)>& keep, std::size_t limit);

  /// The job as its durable records tell it. Errors: `no_such_job`, `no_such_graph`.
  result<core::job> load(job_id id, const graph_source& graphs);

  /// A job on its way through its records; starts empty.
  struct replay_state {
    std::optional<core::job> job;
    std::size_t next = 0; ///< The record to apply next.
  };
  /// Goes on from `from`: applies the job's durable records one by one and shows each, just
  /// applied, to `each`, until that says false. Errors: `no_such_job`, `no_such_graph`.
  using step = std::function<bool(const core::job&, const core::record&, const core::changes&)>;
  status replay(job_id id, const graph_source& graphs, replay_state& from, const step& each);

  /// Hands on the shard's own records, in order.
  void each_shard_record(const std::function<void(const core::record&)>& each);

private:
  struct place {
    std::uint32_t batch = 0, begin = 0, end = 0;
  };
  struct entry {
    job_row row;
    std::vector<place> records;
  };

  result<std::vector<core::record>> records_of(job_id id, std::size_t from);
  void index();
  void index(std::uint32_t batch, const core::record_place& at);
  core::record decode(const place& at) const;

  core::shard_id shard_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<const core::bytes>> batches_;
  std::size_t indexed_ = 0;
  std::map<job_id, entry> jobs_;
  std::vector<place> shard_records_;
};

} // namespace troupe::storage
