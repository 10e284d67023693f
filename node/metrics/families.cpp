#include "node/metrics/families.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

constexpr std::size_t kinds_max = 64;
constexpr std::size_t tasks_max = 64;
constexpr std::size_t error_types_max = 64;
constexpr std::size_t routes_max = 100;
constexpr std::size_t reasons_max = 32;

constexpr const char* task_of_jobs = "job";
constexpr const char* flow_of_unnamed = "inline";

} // namespace

const Histogram::BucketBoundaries& wait_buckets() {
  static const Histogram::BucketBoundaries edges{0.001, 0.005, 0.025, 0.1,  0.5,  1,     5,
                                                 15,    60,    300,   1800, 7200, 43200, 86400};
  return edges;
}

const Histogram::BucketBoundaries& request_buckets() {
  static const Histogram::BucketBoundaries edges{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                 0.1,    0.25,  0.5,    1,     5,    30};
  return edges;
}

const Histogram::BucketBoundaries& commit_buckets() {
  static const Histogram::BucketBoundaries edges{
      0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5};
  return edges;
}

const Histogram::BucketBoundaries& record_buckets() {
  static const Histogram::BucketBoundaries edges{1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000};
  return edges;
}

void observe(Histogram& to, const Histogram::BucketBoundaries& edges, double x,
             std::uint32_t count) {
  if (count == 1)
    return to.Observe(x);
  std::vector<double> increments(edges.size() + 1);
  auto at = std::ranges::lower_bound(edges, x) - edges.begin();
  increments[std::size_t(at)] = count;
  to.ObserveMultiple(increments, x * count);
}

/// One line for each family.
families::families(const metrics_options& options)
    : queue_jobs(prometheus::BuildGauge()
                     .Name("troupe_queue_jobs")
                     .Help("Jobs that wait in a queue, by graph.")
                     .Register(registry)),
      job_wait(prometheus::BuildHistogram()
                   .Name("troupe_job_wait_seconds")
                   .Help("From a job's acceptance to its start.")
                   .Register(registry)),
      jobs_finished(prometheus::BuildCounter()
                        .Name("troupe_jobs_finished_total")
                        .Help("Jobs that ended, by how they ended.")
                        .Register(registry)),
      job_run(prometheus::BuildHistogram()
                  .Name("troupe_job_run_seconds")
                  .Help("From start to end: of jobs (task_type job), or of attempts by kind, a "
                        "worker's by its task.")
                  .Register(registry)),
      errors(prometheus::BuildCounter()
                 .Name("troupe_errors_total")
                 .Help("Attempts and jobs that failed, by the code of their problem.")
                 .Register(registry)),
      resource_usage(prometheus::BuildGauge()
                         .Name("troupe_resource_usage_ratio")
                         .Help("Part of the processors and memory that the node may use.")
                         .Register(registry)),
      jobs(prometheus::BuildGauge()
               .Name("troupe_jobs")
               .Help("Jobs that the store holds, by queue and state.")
               .Register(registry)),
      job_bytes(prometheus::BuildGauge()
                    .Name("troupe_job_bytes")
                    .Help("Bytes of the records of these jobs.")
                    .Register(registry)),
      oldest_age(prometheus::BuildGauge()
                     .Name("troupe_queue_oldest_age_seconds")
                     .Help("Since the acceptance of the job that has waited longest in a queue.")
                     .Register(registry)),
      waits(prometheus::BuildCounter()
                .Name("troupe_wait_reason_seconds_total")
                .Help("How long jobs and vertices have waited that could have run, by what for.")
                .Register(registry)),
      vertices(prometheus::BuildGauge()
                   .Name("troupe_vertices")
                   .Help("Vertices of jobs at work, by state.")
                   .Register(registry)),
      attempts(prometheus::BuildCounter()
                   .Name("troupe_attempts_total")
                   .Help("Attempts of vertices that ended, by kind and outcome.")
                   .Register(registry)),
      stale(prometheus::BuildCounter()
                .Name("troupe_stale_completions_total")
                .Help("Results that were refused because their attempt is not current.")
                .Register(registry)),
      expired(prometheus::BuildCounter()
                  .Name("troupe_leases_expired_total")
                  .Help("Leases that workers did not extend in time.")
                  .Register(registry)),
      restarts(prometheus::BuildCounter()
                   .Name("troupe_supervisor_restarts_total")
                   .Help("Actors that failed and were started again.")
                   .Register(registry)),
      escalations(prometheus::BuildCounter()
                      .Name("troupe_supervisor_escalations_total")
                      .Help("Actors that failed too often.")
                      .Register(registry)),
      rejected(prometheus::BuildCounter()
                   .Name("troupe_rejected_total")
                   .Help("Requests that were refused because of a limit.")
                   .Register(registry)),
      limit_in_use(prometheus::BuildGauge()
                       .Name("troupe_limit_in_use")
                       .Help("How much of a limit is in use.")
                       .Register(registry)),
      limit_max(prometheus::BuildGauge()
                    .Name("troupe_limit_max")
                    .Help("How much of it there is.")
                    .Register(registry)),
      mailboxes(prometheus::BuildGauge()
                    .Name("troupe_mailbox_depth")
                    .Help("Messages that wait for the actors of one name.")
                    .Register(registry)),
      workers(prometheus::BuildGauge()
                  .Name("troupe_workers")
                  .Help("Calls for work that wait, and leases that workers hold (busy).")
                  .Register(registry)),
      commit(prometheus::BuildHistogram()
                 .Name("troupe_journal_commit_seconds")
                 .Help("How long the journal took to make a batch durable.")
                 .Register(registry)),
      batch_records(prometheus::BuildHistogram()
                        .Name("troupe_journal_batch_records")
                        .Help("Records in a batch.")
                        .Register(registry)),
      journal_bytes(prometheus::BuildCounter()
                        .Name("troupe_journal_written_bytes_total")
                        .Help("Bytes of records that became durable.")
                        .Register(registry)),
      lag(prometheus::BuildGauge()
              .Name("troupe_snapshot_lag_bytes")
              .Help("Records that are durable and not in the snapshot yet.")
              .Register(registry)),
      lag_limit(prometheus::BuildGauge()
                    .Name("troupe_snapshot_lag_limit_bytes")
                    .Help("From here on new jobs are slowed down (soft) or refused (hard).")
                    .Register(registry)),
      lag_records(prometheus::BuildGauge()
                      .Name("troupe_snapshot_lag_records")
                      .Help("How many these are.")
                      .Register(registry)),
      snapshot_failed(prometheus::BuildGauge()
                          .Name("troupe_snapshot_failed")
                          .Help("1: the snapshot is not written any more; start the node again.")
                          .Register(registry)),
      oldest_read(prometheus::BuildGauge()
                      .Name("troupe_snapshot_oldest_read_seconds")
                      .Help("Since the beginning of the oldest read of the snapshot.")
                      .Register(registry)),
      violations(prometheus::BuildCounter()
                     .Name("troupe_invariant_violations_total")
                     .Help("What a check found wrong, by check.")
                     .Register(registry)),
      store_bytes(prometheus::BuildGauge()
                      .Name("troupe_store_bytes")
                      .Help("Bytes on the disk, by part of the store.")
                      .Register(registry)),
      disk_bytes(prometheus::BuildGauge()
                     .Name("troupe_disk_bytes")
                     .Help("The file system of the data directory: its size, and what is free.")
                     .Register(registry)),
      http_requests(prometheus::BuildCounter()
                        .Name("troupe_http_requests_total")
                        .Help("Requests that were answered, by route and status code.")
                        .Register(registry)),
      http_seconds(prometheus::BuildHistogram()
                       .Name("troupe_http_request_seconds")
                       .Help("From a request's last header to the answer's first byte, by route.")
                       .Register(registry)),
      spans(prometheus::BuildCounter()
                .Name("troupe_trace_spans_total")
                .Help("Spans that were exported, or that the collector did not take.")
                .Register(registry)),
      jobs_untraced(prometheus::BuildCounter()
                        .Name("troupe_trace_jobs_dropped_total")
                        .Help("Jobs whose spans were not made: too many waited, or they are gone.")
                        .Register(registry)),
      readers(prometheus::BuildGauge()
                  .Name("troupe_stream_readers")
                  .Help("Clients that read events right now.")
                  .Register(registry)),
      readers_cut(prometheus::BuildCounter()
                      .Name("troupe_stream_readers_cut_total")
                      .Help("Readers of events that were cut off: they took nothing for too long.")
                      .Register(registry)),
      event_queue(prometheus::BuildHistogram()
                      .Name("troupe_event_queue_seconds")
                      .Help("From an event's being durable to its leaving for a client.")
                      .Register(registry)),
      event_client(prometheus::BuildHistogram()
                       .Name("troupe_event_client_seconds")
                       .Help("How long clients took to take what was sent.")
                       .Register(registry)),
      process_memory(prometheus::BuildGauge()
                         .Name("process_resident_memory_bytes")
                         .Help("Resident memory.")
                         .Register(registry)),
      process_cpu(prometheus::BuildCounter()
                      .Name("process_cpu_seconds_total")
                      .Help("User and system time.")
                      .Register(registry)),
      process_files(prometheus::BuildGauge()
                        .Name("process_open_fds")
                        .Help("Open file descriptors.")
                        .Register(registry)),
      build_info(prometheus::BuildGauge()
                     .Name("troupe_build_info")
                     .Help("Always 1; the version is in the label.")
                     .Register(registry)),
      flows(options.max_flows),
      queues(options.max_queues),
      kinds(kinds_max),
      tasks(tasks_max),
      error_types(error_types_max),
      routes(routes_max),
      reasons(reasons_max) {
  build_info.Add({{"version", options.version}}).Set(1);
}

flow_series& families::of_flow(const std::string& graph) {
  auto flow = flows.label(graph, flow_of_unnamed);
  std::scoped_lock lock{mutex_};
  auto [at, is_new] = by_flow_.try_emplace(flow);
  auto& x = at->second;
  if (!is_new)
    return x;
  x.queued = &queue_jobs.Add({{"flow_id", flow}});
  x.wait = &job_wait.Add({{"flow_id", flow}, {"task_type", task_of_jobs}}, wait_buckets());
  x.run = &job_run.Add({{"flow_id", flow}, {"task_type", task_of_jobs}}, wait_buckets());
  for (auto state :
       {job_state::completed, job_state::failed, job_state::cancelled, job_state::stopped})
    x.finished[std::size_t(state)] =
        &jobs_finished.Add({{"flow_id", flow}, {"status", to_string(state)}});
  return x;
}

Histogram& families::run_of(const std::string& graph, const attempt_step& step) {
  auto flow = flows.label(graph, flow_of_unnamed);
  auto type = step.task.empty() ? kinds.label(step.kind, "none") : tasks.label(step.task, "none");
  return found(job_run, flow + "\n" + type, {{"flow_id", flow}, {"task_type", type}},
               wait_buckets());
}

Histogram& families::seconds_of(const std::string& route) {
  return found(http_seconds, route, {{"route", route}}, request_buckets());
}

Histogram& families::found(Family<Histogram>& in, const std::string& key,
                           const prometheus::Labels& labels,
                           const Histogram::BucketBoundaries& edges) {
  std::scoped_lock lock{mutex_};
  auto& known = histograms_[{&in, key}];
  if (!known)
    known = &in.Add(labels, edges);
  return *known;
}

kind_series& families::of_kind(const std::string& kind) {
  auto label = kinds.label(kind, "none");
  std::scoped_lock lock{mutex_};
  auto [at, is_new] = by_kind_.try_emplace(label);
  if (is_new)
    for (std::size_t i = 0; i < at->second.ended.size(); ++i)
      at->second.ended[i] =
          &attempts.Add({{"kind", label}, {"outcome", to_string(attempt_fate(i))}});
  return at->second;
}

Counter& families::error_of(const std::string& graph, const std::string& code) {
  return errors.Add({{"flow_id", flows.label(graph, flow_of_unnamed)},
                     {"error_type", error_types.label(code, "unknown")}});
}

} // namespace troupe::node
