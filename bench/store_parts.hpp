#pragma once

#include "actors/engine.hpp"
#include "bench/load.hpp"
#include "bench/process.hpp"

#include <filesystem>

/// What the rows of `store_bench` share.
namespace troupe::bench {

struct store_options {
  std::filesystem::path directory = std::filesystem::temp_directory_path();
  std::size_t runs = 3;
  std::size_t jobs = 1'000'000; ///< Of the large stores.
  std::size_t seconds = 60;     ///< Of a steady load.
  bool keep = false;            ///< The directories stay, and a later run uses them.
  std::string only;
};

/// A node with its inside at hand. Of the function `work` every store here makes jobs.
std::unique_ptr<actors::engine> open_node(const std::filesystem::path& directory, function work,
                                          std::size_t running_jobs_max = limits::running_jobs_max);

/// Does nothing until its job ends or the node closes.
value hold(const value& inputs, function_context& context);

submit_call submits_to(actors::engine& node);
graph_id add(actors::engine& node, const graph_spec& graph);
graph_spec work_graph();

/// Job number `i` of this graph in one of 16 queues, over all shards; each hundredth has a label.
job_spec spread(const graph_id& graph, std::size_t i);

/// Waits until the snapshot holds everything.
void wait_for_snapshot(actors::engine& node);

/// A directory with `count` jobs that wait in their queues behind others that run; made by
/// submitting them, unless it is there. `dispatched`: those that ran meanwhile.
struct begun_jobs {
  std::size_t count = 0;
  job_id ids[256];
  bool has(job_id x) const { return std::find(ids, ids + count, x) != ids + count; }
};
std::filesystem::path pending_store(const store_options& o, std::size_t count, begun_jobs& begun);

/// A directory with `count` no-op jobs that have completed; made by running them.
std::filesystem::path finished_store(const store_options& o, std::size_t count);

/// A copy of one of these that may be changed; the one before is gone then.
std::filesystem::path copy_of(const store_options& o, const std::filesystem::path& data);

// The rows, by name.
void bench_lag(const store_options& o);
void bench_restart(const store_options& o);
void bench_memory(const store_options& o);
void bench_list(const store_options& o);
void bench_finished(const store_options& o);
void bench_bytes(const store_options& o);
void bench_verify(const store_options& o);
void bench_backup(const store_options& o);
void bench_replay(const store_options& o);

} // namespace troupe::bench
