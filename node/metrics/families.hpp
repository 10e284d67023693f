#pragma once

#include "node/metrics/bounded_names.hpp"
#include "node/metrics/metrics.hpp"
#include "node/metrics/waiting_jobs.hpp"

#include <array>
#include <map>
#include <mutex>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <unordered_map>

/// The families of metrics, and the series that are needed often. Only for sources of this folder.
namespace troupe::node {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

/// Series of one graph's name, found once.
struct flow_series {
  Gauge* queued = nullptr;
  Histogram *wait = nullptr, *run = nullptr;
  std::array<Counter*, 9> finished{}; ///< By `job_state`; null for those that are no end.
};

/// Series of attempts of one kind.
struct kind_series {
  std::array<Counter*, std::size_t(last(attempt_fate{})) + 1> ended{};
};

/// All families. Members are in the order of `docs/metrics.md`.
struct families {
  explicit families(const metrics_options& options);

  prometheus::Registry registry;
  Family<Gauge>& queue_jobs;
  Family<Histogram>& job_wait;
  Family<Counter>& jobs_finished;
  Family<Histogram>& job_run;
  Family<Counter>& errors;
  Family<Gauge>& resource_usage;
  Family<Gauge>& jobs;
  Family<Gauge>& job_bytes;
  Family<Gauge>& oldest_age;
  Family<Counter>& waits;
  Family<Gauge>& vertices;
  Family<Counter>& attempts;
  Family<Counter>& stale;
  Family<Counter>& expired;
  Family<Counter>& restarts;
  Family<Counter>& escalations;
  Family<Counter>& rejected;
  Family<Gauge>& limit_in_use;
  Family<Gauge>& limit_max;
  Family<Gauge>& mailboxes;
  Family<Gauge>& workers;
  Family<Histogram>& commit;
  Family<Histogram>& batch_records;
  Family<Counter>& journal_bytes;
  Family<Gauge>& lag;
  Family<Gauge>& lag_limit;
  Family<Gauge>& lag_records;
  Family<Gauge>& snapshot_failed;
  Family<Gauge>& oldest_read;
  Family<Counter>& violations;
  Family<Gauge>& store_bytes;
  Family<Gauge>& disk_bytes;
  Family<Counter>& http_requests;
  Family<Histogram>& http_seconds;
  Family<Counter>& spans;
  Family<Counter>& jobs_untraced;
  Family<Gauge>& readers;
  Family<Counter>& readers_cut;
  Family<Histogram>& event_queue;
  Family<Histogram>& event_client;
  Family<Gauge>& process_memory;
  Family<Counter>& process_cpu;
  Family<Gauge>& process_files;
  Family<Gauge>& build_info;

  bounded_names flows, queues, kinds, tasks, error_types, routes, reasons;
  waiting_jobs waiting; ///< By the label of their queue.

  /// The series of a graph's name.
  flow_series& of_flow(const std::string& graph);
  /// The histogram of attempts of one kind, or of one task of workers, in one graph.
  Histogram& run_of(const std::string& graph, const attempt_step& step);
  kind_series& of_kind(const std::string& kind);
  Counter& error_of(const std::string& graph, const std::string& code);
  /// The histogram of requests of one route, which is a label already.
  Histogram& seconds_of(const std::string& route);

private:
  /// A histogram that is found without making one: `Family::Add` makes it before it looks.
  Histogram& found(Family<Histogram>& in, const std::string& key, const prometheus::Labels& labels,
                   const Histogram::BucketBoundaries& edges);

  std::mutex mutex_;
  std::map<std::pair<Family<Histogram>*, std::string>, Histogram*> histograms_; ///< Bounded.
  std::unordered_map<std::string, flow_series> by_flow_; ///< By label: bounded.
  std::unordered_map<std::string, kind_series> by_kind_;
};

/// Counts what an observer is told.
class counting_observer final : public observer {
public:
  explicit counting_observer(families& to);

  void job_stepped(const observed_job& job, const job_step& step) override;
  void job_found(const observed_job& job, job_state state) override;
  void attempts_ended(const observed_job& job, const attempt_step& step) override;
  void job_refused(const std::string& queue, ec why) override;
  void vertices_changed(const vertex_changes& by) override;
  void vertices_waited(const observed_job& job, wait_reason why,
                       std::chrono::milliseconds time) override;
  void batch_written(const batch_step& step) override;
  void happened(occurrence x) override;

private:
  families& all_;
  Histogram &commit_, &records_;
  Counter &bytes_, &stale_, &expired_, &restarts_, &escalations_;
  Counter& queue_wait_; ///< Of jobs, for their turn.
  std::array<Counter*, std::size_t(last(wait_reason{})) + 1> waits_{};
  std::array<Gauge*, vertex_states> vertices_{};
};

/// The edges of buckets.
const Histogram::BucketBoundaries& wait_buckets();
const Histogram::BucketBoundaries& request_buckets();
const Histogram::BucketBoundaries& commit_buckets();
const Histogram::BucketBoundaries& record_buckets();

/// `count` equal observations at once.
void observe(Histogram& to, const Histogram::BucketBoundaries& edges, double x,
             std::uint32_t count);

} // namespace troupe::node
