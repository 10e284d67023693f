#pragma once

#include "storage/job_row.hpp"
#include "storage/verify_finding.hpp"
#include "storage/verify_graphs.hpp"

namespace troupe::storage {

/// What the check of a job needs besides the tables.
struct job_surroundings {
  std::uint16_t shards = 1;
  graph_cache& graphs;
  const blob_files& blobs;
};

/// Compares the row of one job with its records, which come one after another in the order of
/// their numbers. Everything that is wrong goes to `to`. For one thread.
class job_check {
public:
  /// `row`: as `in`, `live` or `done`, holds it.
  job_check(core::shard_id shard, table in, job_id id, core::byte_view row,
            const job_surroundings& around, finding_list& to);

  /// The row, if it can be read.
  const std::optional<job_row>& row() const noexcept { return row_; }
  std::uint64_t records() const noexcept { return next_; }

  /// The next piece of records; `first` is the number of its first one.
  void take(std::uint64_t first, core::byte_view records);

  /// All records have come.
  void end();

private:
  void take(core::byte_view encoded);
  void replay(const core::record& r);
  bool prepare(const core::record& r);
  void compare_rows();
  void compare_job();
  void check_blobs();
  void tell(finding_kind kind, std::string what);

  core::shard_id shard_;
  table in_;
  job_id id_;
  const job_surroundings& around_;
  finding_list& to_;
  std::optional<job_row> row_;
  job_row folded_;
  std::optional<core::job> job_;
  std::uint64_t next_ = 0;
  bool broken_ = false; ///< What follows says nothing more.
};

/// The type of a record as reports show it.
const char* name_of(const core::record& r) noexcept;

} // namespace troupe::storage
