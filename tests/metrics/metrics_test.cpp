#include "node/metrics/metrics.hpp"
#include "tests/metrics/text_format.hpp"
#include "tests/support/catch.hpp"

#include <set>
#include <thread>

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;
using tests::scraped_text;

namespace {

observed_job job(std::string graph, std::string queue = "default") {
  return {job_id{1, 2}, {}, std::move(queue), std::move(graph)};
}

struct fixture {
  node::metrics all{{.max_flows = 3, .max_queues = 2, .version = "1.2.3"}};
  std::shared_ptr<troupe::observer> seen = all.observer();

  scraped_text scrape(const scraped& now = {}) { return scraped_text{all.text(now)}; }

  /// One job from its acceptance to its end.
  void run(const observed_job& x, job_state end, std::chrono::milliseconds waited = 20ms,
           std::chrono::milliseconds ran = 2s) {
    seen->job_stepped(x, {});
    seen->job_stepped(x, {job_state::pending, job_state::running, waited, {}, {}});
    seen->job_stepped(
        x, {job_state::running, end, {}, ran, end == job_state::failed ? "exit_code" : ""});
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "a job that waits is counted until it starts", "[metrics]") {
  seen->job_stepped(job("etl"), {});
  seen->job_found(job("etl"), job_state::pending);
  seen->job_found(job("etl"), job_state::running);
  CHECK(scrape().at(R"(troupe_queue_jobs{flow_id="etl"})") == 2);
  seen->job_stepped(job("etl"), {job_state::pending, job_state::paused, {}, {}, {}});
  CHECK(scrape().at(R"(troupe_queue_jobs{flow_id="etl"})") == 1);
  seen->job_stepped(job("etl"), {job_state::paused, job_state::pending, {}, {}, {}});
  CHECK(scrape().at(R"(troupe_queue_jobs{flow_id="etl"})") == 2);
}

TEST_CASE_METHOD(fixture, "ends, times and errors of jobs are counted by graph", "[metrics]") {
  run(job("etl"), job_state::completed);
  run(job("etl"), job_state::completed);
  run(job("etl"), job_state::failed);
  run(job(""), job_state::cancelled);
  auto x = scrape();
  CHECK(x.at(R"(troupe_jobs_finished_total{flow_id="etl",status="completed"})") == 2);
  CHECK(x.at(R"(troupe_jobs_finished_total{flow_id="etl",status="failed"})") == 1);
  CHECK(x.at(R"(troupe_jobs_finished_total{flow_id="inline",status="cancelled"})") == 1);
  CHECK(x.at(R"(troupe_errors_total{error_type="exit_code",flow_id="etl"})") == 1);
  CHECK(x.at(R"(troupe_queue_jobs{flow_id="etl"})") == 0);
  CHECK(x.at(R"(troupe_job_wait_seconds_count{flow_id="etl",task_type="job"})") == 3);
  CHECK(x.at(R"(troupe_job_wait_seconds_sum{flow_id="etl",task_type="job"})") == Approx(0.06));
  CHECK(x.at(R"(troupe_job_wait_seconds_bucket{flow_id="etl",task_type="job",le="0.005"})") == 0);
  CHECK(x.at(R"(troupe_job_wait_seconds_bucket{flow_id="etl",task_type="job",le="0.025"})") == 3);
  CHECK(x.at(R"(troupe_job_run_seconds_sum{flow_id="etl",task_type="job"})") == Approx(6));
  CHECK(x.types.at("troupe_job_run_seconds") == "histogram");
}

TEST_CASE_METHOD(fixture, "attempts are counted by kind, many alike at once", "[metrics]") {
  seen->attempts_ended(job("etl"), {"noop", attempt_fate::succeeded, {}, 5ms, 300});
  seen->attempts_ended(job("etl"), {"exec", attempt_fate::failed, "exit_code", 1s, 1});
  seen->attempts_ended(job("etl"), {"exec", attempt_fate::timed_out, "timed_out", 2s, 1});
  seen->attempts_ended(job("etl"), {"exec", attempt_fate::lost, {}, {}, 1});
  auto x = scrape();
  CHECK(x.at(R"(troupe_attempts_total{kind="noop",outcome="succeeded"})") == 300);
  CHECK(x.at(R"(troupe_attempts_total{kind="exec",outcome="failed"})") == 1);
  CHECK(x.at(R"(troupe_attempts_total{kind="exec",outcome="lost"})") == 1);
  CHECK(x.at(R"(troupe_errors_total{error_type="timed_out",flow_id="etl"})") == 1);
  auto bucket = [&](const char* le) {
    return x.at(R"(troupe_job_run_seconds_bucket{flow_id="etl",task_type="noop",le=")"
                + std::string{le} + "\"}");
  };
  CHECK(bucket("0.001") == 0);
  CHECK(bucket("0.005") == 300); // An edge belongs to its bucket.
  CHECK(bucket("+Inf") == 300);
  CHECK(x.at(R"(troupe_job_run_seconds_sum{flow_id="etl",task_type="noop"})") == Approx(1.5));
  CHECK(x.at(R"(troupe_job_run_seconds_count{flow_id="etl",task_type="exec"})") == 2);
}

TEST_CASE_METHOD(fixture, "attempts of workers are timed by their task, a bounded number of them",
                 "[metrics]") {
  attempt_step x{"worker", attempt_fate::succeeded, {}, 2s, 3};
  x.task = "resize";
  seen->attempts_ended(job("etl"), x);
  for (int i = 0; i < 100; ++i) {
    x.task = "t" + std::to_string(i);
    seen->attempts_ended(job("etl"), x);
  }
  auto told = scrape();
  auto runs = [&](const std::string& type) {
    return told.at(R"(troupe_job_run_seconds_count{flow_id="etl",task_type=")" + type + "\"}");
  };
  CHECK(runs("resize") == 3);
  CHECK(runs("t62") == 3);
  CHECK(runs("other") == 3 * (100 - 63));
  CHECK(told.at(R"(troupe_attempts_total{kind="worker",outcome="succeeded"})") == 3 * 101);
  seen->attempts_ended(job("etl"), {"noop", attempt_fate::succeeded, {}, 5ms, 1});
  told = scrape();
  CHECK(runs("noop") == 1); // Tasks take no kind its name.
}

TEST_CASE_METHOD(fixture, "names beyond the bound are `other`, whatever comes", "[metrics]") {
  for (int i = 0; i < 50; ++i)
    run(job("g" + std::to_string(i)), job_state::completed);
  auto x = scrape();
  CHECK(x.at(R"(troupe_jobs_finished_total{flow_id="g2",status="completed"})") == 1);
  CHECK(x.at(R"(troupe_jobs_finished_total{flow_id="other",status="completed"})") == 47);
  CHECK(x.at(R"(troupe_queue_jobs{flow_id="other"})") == 0);
  auto before = x.samples.size();
  for (int i = 0; i < 1000; ++i) {
    run(job("h" + std::to_string(i)), job_state::failed);
    seen->attempts_ended(job("h" + std::to_string(i)),
                         {"k" + std::to_string(i), attempt_fate::failed, "e" + std::to_string(i)});
    all.http_answered("/x" + std::to_string(i), 200, 1ms);
    all.rejected("r" + std::to_string(i));
  }
  CHECK(scrape().samples.size() < before + 8000);
  auto bounded = scrape().samples.size();
  for (int i = 1000; i < 2000; ++i) {
    run(job("h" + std::to_string(i)), job_state::failed);
    all.http_answered("/x" + std::to_string(i), 200, 1ms);
    all.rejected("r" + std::to_string(i));
  }
  CHECK(scrape().samples.size() == bounded);
}

TEST_CASE_METHOD(fixture, "what the journal and supervisors do is counted", "[metrics]") {
  seen->batch_written({10, 1000, 300us});
  seen->batch_written({2, 50, 3ms});
  seen->happened(occurrence::job_restarted);
  seen->happened(occurrence::shard_restarted);
  seen->happened(occurrence::shard_escalated);
  seen->happened(occurrence::stale_completion);
  seen->job_refused("default", ec::overloaded);
  auto x = scrape();
  CHECK(x.at("troupe_journal_commit_seconds_count") == 2);
  CHECK(x.at(R"(troupe_journal_commit_seconds_bucket{le="0.0005"})") == 1);
  CHECK(x.at("troupe_journal_batch_records_sum") == 12);
  CHECK(x.at("troupe_journal_written_bytes_total") == 1050);
  CHECK(x.at(R"(troupe_supervisor_restarts_total{strategy="one_for_one"})") == 2);
  CHECK(x.at("troupe_supervisor_escalations_total") == 1);
  CHECK(x.at("troupe_stale_completions_total") == 1);
  CHECK(x.at(R"(troupe_rejected_total{reason="overloaded"})") == 1);
}

TEST_CASE_METHOD(fixture, "totals of the store are shown as they are, and go to 0", "[metrics]") {
  scraped now;
  now.totals = std::vector<queue_total>{{{}, "mail", job_state::pending, 4, 400},
                                        {{}, "mail", job_state::completed, 9, 900},
                                        {{}, "b", job_state::failed, 1, 10},
                                        {{}, "c", job_state::failed, 2, 20},
                                        {{}, "d", job_state::failed, 3, 30}};
  now.store = store_stats{.lag_bytes = 1,
                          .lag_soft_bytes = 2,
                          .lag_hard_bytes = 3,
                          .journal_bytes = 4,
                          .snapshot_bytes = 5,
                          .disk_bytes = 1000,
                          .disk_free_bytes = 600,
                          .lag_records = 7};
  auto x = scrape(now);
  CHECK(x.at(R"(troupe_jobs{queue="mail",state="pending"})") == 4);
  CHECK(x.at(R"(troupe_job_bytes{queue="mail",state="completed"})") == 900);
  CHECK(x.at(R"(troupe_jobs{queue="other",state="failed"})") == 5);
  CHECK(x.at("troupe_snapshot_lag_bytes") == 1);
  CHECK(x.at(R"(troupe_snapshot_lag_limit_bytes{limit="hard"})") == 3);
  CHECK(x.at("troupe_snapshot_lag_records") == 7);
  CHECK(x.at(R"(troupe_store_bytes{kind="snapshot"})") == 5);
  CHECK(x.at(R"(troupe_disk_bytes{kind="free"})") == 600);
  now.totals->resize(1);
  x = scrape(now);
  CHECK(x.at(R"(troupe_jobs{queue="mail",state="pending"})") == 4);
  CHECK(x.at(R"(troupe_jobs{queue="mail",state="completed"})") == 0);
}

TEST_CASE_METHOD(fixture, "what could not be read is not shown", "[metrics]") {
  scraped now;
  now.totals = {{{}, "mail", job_state::pending, 4, 400}};
  now.store = store_stats{.lag_bytes = 1, .disk_bytes = 1000};
  now.load = runtime_load{{{"shard", 12}}, {{"running_jobs", 3, 100}}};
  const std::set<std::string> read{
      "troupe_jobs",         "troupe_job_bytes",     "troupe_snapshot_lag_bytes",
      "troupe_disk_bytes",   "troupe_store_bytes",   "troupe_snapshot_lag_limit_bytes",
      "troupe_limit_in_use", "troupe_mailbox_depth", "troupe_snapshot_lag_records",
      "troupe_limit_max",    "troupe_workers",       "troupe_snapshot_failed"};
  auto shown = [&](const scraped& x) {
    std::set<std::string> all;
    for (auto& [series, number] : scrape(x).samples)
      if (auto name = series.substr(0, series.find('{')); read.contains(name))
        all.insert(name);
    return all;
  };
  CHECK(shown(now) == read);
  CHECK(shown({}).empty());
  CHECK(shown(now) == read);
  CHECK(scrape(now).at(R"(troupe_jobs{queue="mail",state="pending"})") == 4);
}

TEST_CASE_METHOD(fixture, "vertices, waits, leases, limits and mailboxes are told", "[metrics]") {
  vertex_changes by{};
  by[std::size_t(vertex_state::waiting)] = 5;
  by[std::size_t(vertex_state::running)] = 2;
  seen->vertices_changed(by);
  by = {};
  by[std::size_t(vertex_state::waiting)] = -4;
  seen->vertices_changed(by);
  seen->vertices_waited(job("etl"), wait_reason::worker, 1500ms);
  seen->vertices_waited(job("etl"), wait_reason::worker, 500ms);
  run(job("etl"), job_state::completed, 250ms);
  seen->happened(occurrence::lease_expired);
  scraped now;
  now.load = runtime_load{{{"shard", 12}, {"work_board", 3}}, {{"running_jobs", 3, 100}}, 5, 7};
  auto x = scrape(now);
  CHECK(x.at(R"(troupe_vertices{state="waiting"})") == 1);
  CHECK(x.at(R"(troupe_vertices{state="running"})") == 2);
  CHECK(x.at(R"(troupe_vertices{state="backoff"})") == 0);
  CHECK(x.at(R"(troupe_wait_reason_seconds_total{reason="worker"})") == 2);
  CHECK(x.at(R"(troupe_wait_reason_seconds_total{reason="queue"})") == 0.25);
  CHECK(x.at(R"(troupe_wait_reason_seconds_total{reason="max_parallel"})") == 0);
  CHECK(x.at("troupe_leases_expired_total") == 1);
  CHECK(x.at(R"(troupe_limit_in_use{limit="running_jobs"})") == 3);
  CHECK(x.at(R"(troupe_limit_max{limit="running_jobs"})") == 100);
  CHECK(x.at(R"(troupe_mailbox_depth{actor="shard"})") == 12);
  CHECK(x.at(R"(troupe_mailbox_depth{actor="work_board"})") == 3);
  CHECK(x.at(R"(troupe_workers{state="waiting"})") == 5);
  CHECK(x.at(R"(troupe_workers{state="busy"})") == 7);
}

TEST_CASE_METHOD(fixture, "what is wrong with the store is told", "[metrics]") {
  scraped now;
  now.store = store_stats{};
  auto x = scrape(now);
  CHECK(x.at("troupe_snapshot_failed") == 0);
  CHECK(x.at(R"(troupe_invariant_violations_total{check="scrub"})") == 0);
  now.store->snapshot_is_written = false;
  now.store->snapshot_oldest_read = 1500ms;
  now.store->scrub_findings = 2;
  scrape(now);
  x = scrape(now);
  CHECK(x.at("troupe_snapshot_failed") == 1);
  CHECK(x.at("troupe_snapshot_oldest_read_seconds") == 1.5);
  CHECK(x.at(R"(troupe_invariant_violations_total{check="scrub"})") == 2);
}

TEST_CASE_METHOD(fixture, "the age of a queue is that of the job that waits longest", "[metrics]") {
  auto waits = [](std::uint64_t accepted_ms, std::string queue) {
    return observed_job{{accepted_ms << 16 | 0x7000, 1}, {}, std::move(queue), "g"};
  };
  auto first = waits(1000, "mail"), second = waits(4000, "mail"), third = waits(5000, "mail");
  scraped now;
  now.at = decltype(now.at){10s};
  auto age = [&](const std::string& queue) {
    return scrape(now).at("troupe_queue_oldest_age_seconds{queue=\"" + queue + "\"}");
  };
  for (auto& x : {first, second, third})
    seen->job_stepped(x, {});
  seen->job_found(waits(9999, "other"), job_state::pending);
  CHECK(age("mail") == 9);
  CHECK(age("other") == Approx(0.001));
  seen->job_stepped(second, {job_state::pending, job_state::cancelling, {}, {}, {}});
  CHECK(age("mail") == 9);
  seen->job_stepped(first, {job_state::pending, job_state::running, {}, {}, {}});
  CHECK(age("mail") == 5);
  seen->job_stepped(third, {job_state::pending, job_state::running, {}, {}, {}});
  CHECK(age("mail") == 0);
  now.at = {};
  CHECK(age("other") == 0); // The clock was set back.
}

TEST_CASE_METHOD(fixture, "what became of spans is told", "[metrics]") {
  scraped now;
  CHECK_FALSE(scrape(now).has("troupe_trace_jobs_dropped_total"));
  now.spans = span_counts{30, 20, 10};
  for (int i = 0; i < 2; ++i) { // The sum since the start, however often it is read.
    auto x = scrape(now);
    CHECK(x.at(R"(troupe_trace_spans_total{outcome="exported"})") == 30);
    CHECK(x.at(R"(troupe_trace_spans_total{outcome="failed"})") == 20);
    CHECK(x.at("troupe_trace_jobs_dropped_total") == 10);
  }
}

TEST_CASE_METHOD(fixture, "requests, readers and the process itself are told", "[metrics]") {
  all.http_answered("/v1/jobs/{id}", 404, 2ms);
  all.stream_readers(1);
  all.stream_readers(1);
  all.stream_readers(-1);
  all.event_queued(1ms);
  all.event_taken(20ms);
  auto x = scrape();
  CHECK(x.at(R"(troupe_http_requests_total{code="404",route="/v1/jobs/{id}"})") == 1);
  CHECK(x.at(R"(troupe_http_request_seconds_count{route="/v1/jobs/{id}"})") == 1);
  CHECK(x.at("troupe_stream_readers") == 1);
  CHECK(x.at("troupe_event_queue_seconds_count") == 1);
  CHECK(x.at("troupe_event_client_seconds_sum") == Approx(0.02));
  CHECK(x.at(R"(troupe_build_info{version="1.2.3"})") == 1);
  CHECK(x.at("process_resident_memory_bytes") > 1e6);
  CHECK(x.at("process_open_fds") > 2);
  CHECK(x.at(R"(troupe_resource_usage_ratio{resource_type="memory"})") > 0);
  CHECK(x.at(R"(troupe_resource_usage_ratio{resource_type="memory"})") < 1);
  CHECK(x.has(R"(troupe_resource_usage_ratio{resource_type="cpu"})"));
}

TEST_CASE_METHOD(fixture, "a label may hold any text", "[metrics]") {
  run(job("a\"b\\c\nd"), job_state::completed);
  CHECK(scrape().at(R"(troupe_jobs_finished_total{flow_id="a\"b\\c\nd",status="completed"})") == 1);
}

TEST_CASE("an observer counts beside other threads and outlives its metrics", "[metrics]") {
  std::shared_ptr<troupe::observer> seen;
  {
    node::metrics all{{.max_flows = 5}};
    seen = all.observer();
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
          for (int i = 0; i < 500; ++i) {
            seen->job_stepped(job("g" + std::to_string((i + t) % 9)), {});
            if (i % 100 == 0)
              all.text({});
          }
        });
    }
    double sum = 0;
    for (auto& [series, x] : scraped_text{all.text({})}.samples)
      sum += series.starts_with("troupe_queue_jobs") ? x : 0;
    CHECK(sum == 2000);
  }
  seen->job_stepped(job("late"), {});
}
