#include "node/metrics/metrics.hpp"

#include "node/metrics/families.hpp"
#include "node/metrics/resource_usage.hpp"

#include <algorithm>
#include <prometheus/text_serializer.h>
#include <set>

namespace troupe::node {

namespace {

double seconds(std::chrono::nanoseconds x) { return std::chrono::duration<double>(x).count(); }

/// Raises a counter to a sum that somebody else keeps.
void raise(Counter& to, std::uint64_t sum) {
  to.Increment(std::max(0.0, static_cast<double>(sum) - to.Value()));
}

/// A gauge that is read at each scrape: series that are not there any more read 0, so that a graph
/// does not stop at its last value. There are only as many as the labels allow.
class scraped_gauge {
public:
  explicit scraped_gauge(Family<Gauge>& to) : to_(to) {}

  /// `is_known`: else it has no series until the next one.
  void begin(bool is_known) {
    for (auto gauge : known_)
      if (is_known)
        gauge->Set(0);
      else
        to_.Remove(gauge);
    if (!is_known)
      known_.clear();
  }
  void add(const prometheus::Labels& labels, std::uint64_t x) {
    auto& gauge = to_.Add(labels);
    known_.insert(&gauge);
    gauge.Increment(static_cast<double>(x)); // Several queues may be `other`.
  }

private:
  Family<Gauge>& to_;
  std::set<Gauge*> known_;
};

} // namespace

struct metrics::impl {
  explicit impl(const metrics_options& options)
      : all(options),
        counting(all),
        jobs(all.jobs),
        job_bytes(all.job_bytes),
        lag(all.lag),
        lag_limit(all.lag_limit),
        lag_records(all.lag_records),
        store_bytes(all.store_bytes),
        disk_bytes(all.disk_bytes),
        limit_in_use(all.limit_in_use),
        limit_max(all.limit_max),
        mailboxes(all.mailboxes),
        workers(all.workers),
        snapshot_failed(all.snapshot_failed),
        readers(all.readers.Add({})),
        readers_cut(all.readers_cut.Add({})),
        event_queue(all.event_queue.Add({}, request_buckets())),
        event_client(all.event_client.Add({}, request_buckets())) {
    meter.ratios(read_resources());
  }

  families all;
  counting_observer counting;
  /// Under `scraping`.
  scraped_gauge jobs, job_bytes, lag, lag_limit, lag_records, store_bytes, disk_bytes, limit_in_use,
      limit_max, mailboxes, workers, snapshot_failed;
  Gauge& readers;
  Counter& readers_cut;
  Histogram &event_queue, &event_client;
  usage_meter meter;
  std::mutex scraping;

  void set_totals(const std::optional<std::vector<queue_total>>& totals) {
    jobs.begin(bool(totals));
    job_bytes.begin(bool(totals));
    if (!totals)
      return;
    for (auto& x : *totals) {
      prometheus::Labels labels{{"queue", all.queues.label(x.queue, "none")},
                                {"state", to_string(x.state)}};
      jobs.add(labels, x.jobs);
      job_bytes.add(labels, x.bytes);
    }
  }

  void set_store(const std::optional<store_stats>& x) {
    for (auto family :
         {&lag, &lag_limit, &lag_records, &store_bytes, &disk_bytes, &snapshot_failed})
      family->begin(bool(x));
    if (!x)
      return;
    lag.add({}, x->lag_bytes);
    lag_records.add({}, x->lag_records);
    lag_limit.add({{"limit", "soft"}}, x->lag_soft_bytes);
    lag_limit.add({{"limit", "hard"}}, x->lag_hard_bytes);
    store_bytes.add({{"kind", "journal"}}, x->journal_bytes);
    store_bytes.add({{"kind", "snapshot"}}, x->snapshot_bytes);
    disk_bytes.add({{"kind", "size"}}, x->disk_bytes);
    disk_bytes.add({{"kind", "free"}}, x->disk_free_bytes);
    snapshot_failed.add({}, !x->snapshot_is_written);
    all.oldest_read.Add({}).Set(seconds(x->snapshot_oldest_read));
    raise(all.violations.Add({{"check", "scrub"}}), x->scrub_findings);
  }

  void add_limits(const std::vector<limit_use>& limits) {
    for (auto& x : limits) {
      limit_in_use.add({{"limit", x.limit}}, x.in_use);
      limit_max.add({{"limit", x.limit}}, x.most);
    }
  }

  void set_load(const std::optional<runtime_load>& x) {
    for (auto family : {&limit_in_use, &limit_max, &mailboxes, &workers})
      family->begin(bool(x));
    if (!x)
      return;
    add_limits(x->limits);
    workers.add({{"state", "waiting"}}, x->waiting_workers);
    workers.add({{"state", "busy"}}, x->leases);
    for (auto& box : x->mailboxes)
      mailboxes.add({{"actor", box.actor}}, box.messages);
  }

  void set_ages(std::chrono::sys_time<std::chrono::milliseconds> now) {
    for (auto& [queue, since] : all.waiting.oldest()) {
      auto age = since ? seconds(std::max(now - *since, std::chrono::milliseconds{0})) : 0;
      all.oldest_age.Add({{"queue", queue}}).Set(age);
    }
  }

  void set_spans(const span_counts& x) {
    raise(all.spans.Add({{"outcome", "exported"}}), x.exported);
    raise(all.spans.Add({{"outcome", "failed"}}), x.failed);
    raise(all.jobs_untraced.Add({}), x.jobs_dropped);
  }

  void set_resources() {
    auto now = read_resources();
    auto used = meter.ratios(now);
    all.resource_usage.Add({{"resource_type", "cpu"}}).Set(used.cpu);
    all.resource_usage.Add({{"resource_type", "memory"}}).Set(used.memory);
    all.process_memory.Add({}).Set(static_cast<double>(now.memory_bytes));
    auto& cpu = all.process_cpu.Add({});
    cpu.Increment(std::max(0.0, now.cpu_seconds - cpu.Value()));
    all.process_files.Add({}).Set(static_cast<double>(now.open_files));
  }
};

metrics::metrics(const metrics_options& options) : impl_(std::make_shared<impl>(options)) {}

metrics::~metrics() = default;

std::shared_ptr<troupe::observer> metrics::observer() const { return {impl_, &impl_->counting}; }

void metrics::http_answered(std::string_view route, unsigned code, std::chrono::nanoseconds took) {
  auto& all = impl_->all;
  auto label = all.routes.label(route, "none");
  all.http_requests.Add({{"route", label}, {"code", std::to_string(code)}}).Increment();
  all.seconds_of(label).Observe(seconds(took));
}

void metrics::rejected(std::string_view reason) {
  impl_->all.rejected.Add({{"reason", impl_->all.reasons.label(reason, "unknown")}}).Increment();
}

void metrics::stream_readers(int change) { impl_->readers.Increment(change); }

void metrics::stream_reader_cut() { impl_->readers_cut.Increment(); }

void metrics::event_queued(std::chrono::nanoseconds waited) {
  impl_->event_queue.Observe(seconds(waited));
}

void metrics::event_taken(std::chrono::nanoseconds took) {
  impl_->event_client.Observe(seconds(took));
}

std::string metrics::text(const scraped& now) {
  std::scoped_lock lock{impl_->scraping};
  impl_->set_totals(now.totals);
  impl_->set_store(now.store);
  impl_->set_load(now.load);
  impl_->add_limits(now.limits);
  impl_->set_ages(now.at);
  if (now.spans)
    impl_->set_spans(*now.spans);
  impl_->set_resources();
  return prometheus::TextSerializer{}.Serialize(impl_->all.registry.Collect());
}

} // namespace troupe::node
