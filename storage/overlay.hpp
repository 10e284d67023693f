#pragma once

#include "storage/job_row.hpp"
#include "storage/journal.hpp"
#include "storage/snapshot_keys.hpp"

#include <deque>
#include <map>
#include <memory>

namespace troupe::storage {

/// The one of two ids that was made later in its shard, whatever their slots.
job_id later(job_id a, job_id b) noexcept;

/// A batch that is durable, as memory keeps it.
struct durable_batch {
  core::epoch epoch{};
  core::position at = 0;
  core::shard_time time{};
  std::shared_ptr<const core::bytes> records;
  std::size_t count = 0; ///< Of the records.
};

/// What successive batches of one shard hold, indexed: what a view has beyond its snapshot, and
/// what the snapshot takes in at once. For one thread at a time.
class overlay {
public:
  /// Where a record lies.
  struct place {
    core::position batch = 0;
    std::uint32_t begin = 0, end = 0;
  };

  /// A job's records here.
  struct part {
    job_row row;               ///< All that is known of it, if it is `whole`.
    bool whole = false;        ///< Every record since its `job_added` was here once.
    bool deleted = false;      ///< One of its records says so.
    std::vector<place> places; ///< Never empty.
  };

  /// The newest content of one of the embedder's rows; without a place it was erased.
  struct row_part {
    core::position batch = 0;
    std::optional<place> content;
  };

  /// The newest job that was made for the key of a request.
  struct request_part {
    core::position batch = 0;
    job_id id;
  };

  /// The batch must follow the newest one. Errors: `journal_corrupt`, `unknown_record`; then only
  /// a part of it may be indexed.
  status add(durable_batch x);

  /// Forgets the oldest batch.
  void drop_oldest();

  const std::deque<durable_batch>& batches() const noexcept { return batches_; }
  const std::map<job_id, part>& jobs() const noexcept { return jobs_; }
  const std::map<keys::name_in, row_part>& rows() const noexcept { return rows_; }
  const std::map<keys::name_in, request_part>& requests() const noexcept { return requests_; }
  const std::deque<place>& links() const noexcept { return links_; }

  /// The part of a job, null if no record of it lies behind `k`.
  const part* find(job_id id, core::position k) const;
  static bool has_beyond(const part& x, core::position k) { return x.places.back().batch > k; }

  /// The encoded record.
  core::byte_view bytes_at(const place& x) const;

  /// Decodes the record; nothing if it may be ignored. Errors: `journal_corrupt`.
  result<std::optional<core::record>> record_at(const place& x) const;

  /// Folds the records behind `k` into a row. Errors: `journal_corrupt`.
  status fold_beyond(const part& x, core::position k, job_row& into) const;

  /// The newest level that a record here raised to; 0 if none did.
  std::uint32_t feature_level() const noexcept { return level_; }

  /// The newest job by time that was ever added here; zero if none was.
  job_id newest() const noexcept { return newest_; }

private:
  void index_job(job_id id, const place& at, const core::record* r);
  void index(const place& at, const core::record& r);

  std::deque<durable_batch> batches_;
  std::map<job_id, part> jobs_;
  std::map<keys::name_in, row_part> rows_;
  std::map<keys::name_in, request_part> requests_;
  std::deque<place> links_;
  // Which entries each batch made, in order: for `drop_oldest`.
  std::deque<std::pair<core::position, job_id>> job_order_;
  std::deque<std::pair<core::position, keys::name_in>> row_order_, request_order_;
  std::uint32_t level_ = 0;
  job_id newest_;
};

} // namespace troupe::storage
