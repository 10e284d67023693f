#pragma once

#include "storage/snapshot_read.hpp"
#include "storage/verify_job.hpp"

#include <unordered_map>

namespace troupe::storage {

/// An entry that an index must have because of a job.
struct index_entry {
  table in{};
  core::bytes key, value;
};

/// Every entry of `by_state`, `by_queue`, `by_label` and `by_end` for a job, in that order.
std::vector<index_entry> entries_of(core::shard_id shard, const job_row& x);

/// Adds up, over the jobs of one shard, what the other tables must hold: without holding the jobs.
struct index_sums {
  std::array<table_totals, tables> entries{};
  std::map<count_key, job_count> counts;

  /// Which graph a hash stands for is told by one of its jobs.
  struct graph_count {
    std::uint64_t jobs = 0;
    job_id one;
  };
  std::unordered_map<std::uint64_t, graph_count> graphs;

  void add(core::shard_id shard, const job_row& x);
};

std::uint64_t graph_hash(namespace_id ns, const graph_id& id) noexcept;

/// Whether each entry of a job is in its index, and the key of its request fits.
status check_entries(const snapshot_read& from, const job_row& x, finding_list& to);

/// Whether the key of the job's request is kept, and fits it.
status check_request(const snapshot_read& from, const job_row& x, core::shard_time now,
                     finding_list& to);

/// Looks at one entry of an index: whether its job is there and is as the entry says.
status check_entry(const snapshot_read& from, table in, core::byte_view key, core::byte_view value,
                   finding_list& to);

/// Looks at one row of `idempotency`.
status check_request_row(const snapshot_read& from, core::byte_view key, core::byte_view value,
                         finding_list& to);

/// Compares the counts and the graphs of a shard with what was added up.
status compare_counts(const snapshot_read& from, const index_sums& sums, finding_list& to);

/// Looks at every graph that jobs of the shard were made from.
status check_graphs(const snapshot_read& from, const job_surroundings& around, finding_list& to);

/// Looks at one graph, which `where` names.
void check_graph(namespace_id ns, const graph_id& id, std::string where,
                 const job_surroundings& around, finding_list& to);

/// Looks at the messages from and to a shard.
status check_links(const snapshot_read& from, finding_list& to);

} // namespace troupe::storage
