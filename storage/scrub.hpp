#pragma once

#include "storage/own_thread.hpp"
#include "storage/verify_tables.hpp"
#include "troupe/limits.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace troupe::storage {

/// What is checked all the time, and how fast.
struct scrub_parts {
  std::shared_ptr<table_store> tables;
  file_ops* files = nullptr;
  std::filesystem::path blobs; ///< The directory of all blobs.
  std::uint16_t shards = 1;
  graph_reader graphs;
  std::uint64_t bytes_per_second = limits::scrub_bytes_per_second;
  std::chrono::milliseconds pass_min = limits::scrub_pass_min; ///< From one pass to the next.
  /// Told each finding, once a pass. Any thread. May be empty.
  std::function<void(const finding&)> report;
};

/// What has been looked at since the start.
struct scrub_state {
  std::uint64_t passes = 0; ///< Over all there is.
  std::uint64_t jobs = 0, bytes = 0, findings = 0;
  status trouble; ///< Why nothing more is checked, if that is so.
};

/// Looks slowly, but all the time, at every job with its records, graph, values and entries, so
/// that a disk that loses something is noticed before a reader or a backup meets it. Beside the
/// writer: what seems wrong is looked at again before it is told. `state` is thread-safe.
class scrubber {
public:
  explicit scrubber(scrub_parts parts);
  ~scrubber() { stop(); }

  /// Looks at about so many bytes, at least at one job; false once it has come to the end, where
  /// the next call begins anew. Not beside the thread. Errors: those of `table_store`,
  /// `journal_corrupt` if what leads to rows is damaged; the next call goes on with another table.
  result<bool> step(std::uint64_t bytes);

  /// Starts the thread that calls `step` each second.
  void start();
  void stop();

  scrub_state state() const;

private:
  static constexpr std::array walked{table::live, table::done, table::graphs};

  result<bool> step_table(std::uint64_t bytes);
  status check(core::byte_view key, status row, std::uint64_t& bytes);
  void check_graph(core::byte_view key, tables_summary& sum, finding_list& found);
  status check_job(table in, job_id id, tables_summary& sum, finding_list& found);
  status check_values(const snapshot_read& from, job_id id, tables_summary& sum,
                      finding_list& found);
  void tell(const finding_list& found);
  bool next_table();
  void run(const std::stop_token& stop);

  scrub_parts parts_;
  blob_files blobs_;
  graph_cache graphs_;
  job_surroundings around_;
  std::size_t at_ = 0;      ///< Index into `walked`.
  std::uint16_t shard_ = 0; ///< Within that table.
  core::bytes place_;       ///< Below it all was seen.
  mutable std::mutex mutex_;
  std::condition_variable_any woken_;
  scrub_state state_;
  std::jthread thread_;
};

} // namespace troupe::storage
