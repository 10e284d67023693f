#pragma once

#include "troupe/ids.hpp"
#include "troupe/states.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// The jobs of one queue in one state, of all shards.
struct queue_total {
  namespace_id ns{};
  std::string queue{};
  job_state state{};
  std::uint64_t jobs = 0;
  std::uint64_t bytes = 0; ///< Of all their records.
};

/// How a runtime's store stands, for metrics. In memory, all is zero that a directory has.
struct store_stats {
  std::uint64_t lag_bytes = 0;        ///< Durable, and not in the snapshot yet.
  std::uint64_t lag_soft_bytes = 0;   ///< From here on new jobs are slowed down,
  std::uint64_t lag_hard_bytes = 0;   ///< and from here on refused.
  bool snapshot_is_written = true;    ///< Else it has failed: the node has to be started again.
  std::uint64_t snapshot_readers = 0; ///< Reads of the snapshot that are under way,
  std::chrono::milliseconds snapshot_oldest_read{}; ///< and since when the oldest of them is.
  std::uint64_t gathered_bytes = 0;                 ///< Records that wait for the journal.
  std::uint64_t waiting_blob_bytes = 0; ///< Values that wait for their blobs; they count as lag.
  std::uint64_t journal_bytes = 0;      ///< Its files, with what is prepared for more.
  std::uint64_t snapshot_bytes = 0;     ///< The snapshot's file.
  std::uint64_t disk_bytes = 0;         ///< Of the file system,
  std::uint64_t disk_free_bytes = 0;    ///< and what of it anyone may still use.
  std::uint64_t lag_records = 0;        ///< In the bytes of the lag.
  bool new_jobs_have_space = true;      ///< Else they are refused with `no_space`,
  std::uint64_t disk_needed_bytes = 0;  ///< until so much is free.
  std::uint64_t disk_reserve_bytes = 0; ///< Held for accepted jobs in a file.
  std::uint64_t sweeps = 0;             ///< Of blobs that no job names, since the start;
  std::uint64_t swept_blobs = 0;        ///< removed by them:
  std::uint64_t swept_bytes = 0;
  std::uint64_t scrub_passes = 0;   ///< Over all there is, since the start;
  std::uint64_t scrub_bytes = 0;    ///< looked at,
  std::uint64_t scrub_findings = 0; ///< and found damaged.
};

/// Messages that wait for the actors of one name.
struct mailbox_depth {
  std::string actor{}; ///< `shard`, `work_board`.
  std::uint64_t messages = 0;
};

/// How much of one bound is in use.
struct limit_use {
  std::string limit{};
  std::uint64_t in_use = 0, most = 0;
};

/// What a runtime has to do right now, of all shards together.
struct runtime_load {
  std::vector<mailbox_depth> mailboxes{};
  std::vector<limit_use> limits{};   ///< Each once.
  std::uint64_t waiting_workers = 0; ///< Calls for work that wait.
  std::uint64_t leases = 0;          ///< Vertices that workers have.
};

} // namespace troupe
