#include "bench/raw_sync.hpp"
#include "bench/store_parts.hpp"
#include "storage/backup.hpp"
#include "storage/give_way.hpp"

#include <atomic>
#include <thread>

/// Rows of a store that is loaded: how far the snapshot lags, and what a backup beside costs.
namespace troupe::bench {

namespace {

namespace fs = std::filesystem;

/// What a loaded node tells while it runs.
struct live_node {
  std::atomic<std::uint64_t> ended, refused, lag, records_a_job, bytes_a_job;
  std::atomic<bool> running, stop;
};

/// Loads a node with no-op jobs in all shards until it is told to stop.
void load(const fs::path& data, live_node& told) {
  auto node = open_node(data, hold);
  auto graph = add(*node, chain(1, "noop", {}));
  job_stream jobs{submits_to(*node), 4000};
  for (std::size_t i = 0; !told.stop; ++i) {
    jobs.put(spread(graph, i));
    if (i % 100 == 0) {
      told.ended = jobs.done();
      told.refused = jobs.refused();
      told.lag = node->env().pressure().lag_bytes;
    }
    told.running = i > 20'000;
  }
  jobs.drain();
  auto page = must(node->contexts()[0]->view->list({}));
  told.records_a_job = page.rows.at(0).records;
  told.bytes_a_job = page.rows.at(0).bytes;
  wait_for_snapshot(*node);
}

void wait_ms(int x) { std::this_thread::sleep_for(std::chrono::milliseconds{x}); }

void wait_until_running(const live_node& told) {
  while (!told.running)
    wait_ms(10);
}

/// Jobs a second from now until `over`.
double rate_until(const live_node& told, const std::function<bool()>& over) {
  auto begin = clock::now();
  auto before = told.ended.load();
  while (!over())
    wait_ms(10);
  return static_cast<double>(told.ended - before) / seconds_since(begin);
}

double rate_for(const live_node& told, double seconds) {
  auto begin = clock::now();
  return rate_until(told, [&] { return seconds_since(begin) >= seconds; });
}

/// Jobs a second while a process writes one backup.
double rate_beside_backup(const live_node& told, const fs::path& data, const fs::path& target,
                          double& took) {
  fs::remove_all(target);
  auto begin = clock::now();
  auto child = begin_child([&] {
    must(storage::giving_way([&] { return storage::back_up(data, target); })); // As the command.
  });
  siginfo_t info{};
  auto rate = rate_until(told, [&] {
    info.si_pid = 0;
    return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0
           || info.si_pid != 0;
  });
  took = seconds_since(begin);
  end_child(child);
  return rate;
}

} // namespace

void bench_lag(const store_options& o) {
  auto data = o.directory / "live";
  fs::remove_all(data);
  shared<live_node> told;
  auto child = begin_child([&] { load(data, *told); });
  wait_until_running(*told);
  std::vector<double> lag, rates;
  auto begin = clock::now();
  auto seconds = static_cast<double>(o.seconds);
  while (seconds_since(begin) < seconds) {
    auto step = clock::now();
    rates.push_back(rate_until(*told, [&] {
      lag.push_back(static_cast<double>(told->lag) / (1 << 20));
      return seconds_since(step) >= seconds / 12;
    }));
    std::printf("(after %3.0f s: %6.0f jobs/s, lag %.1f MiB)\n", seconds_since(begin), rates.back(),
                lag.back());
  }
  auto last = static_cast<double>(told->lag) / (1 << 20);
  told->stop = true;
  auto drain = clock::now();
  end_child(child);
  auto drained = seconds_since(drain);
  print_row("no-op jobs while the snapshot follows", rates, "jobs/s", "as without it");
  std::vector<double> records;
  for (auto x : rates)
    records.push_back(x * static_cast<double>(told->records_a_job));
  print_row("  records in the journal", records, "1/s", "");
  print_row("  lag of the snapshot, p50 of the time", {quantile(lag, 0.5)}, "MiB", "bounded");
  print_row("  lag at most", {quantile(lag, 1)}, "MiB", "below the soft limit");
  print_row("  lag at the end", {last}, "MiB", "");
  print_row("  last twelfth of the time against the first", {rates.back() / rates.front()}, "x",
            "");
  print_row("  refused", {static_cast<double>(told->refused)}, "jobs", "0");
  print_row("  to drain, check and close", {drained}, "s", "");
  if (!o.keep)
    fs::remove_all(data);
}

void bench_backup(const store_options& o) {
  auto data = copy_of(o, finished_store(o, o.jobs));
  shared<live_node> told;
  auto child = begin_child([&] { load(data, *told); });
  wait_until_running(*told);
  std::vector<double> alone, beside, slower, times;
  for (std::size_t i = 0; i < o.runs; ++i) {
    double took = 0;
    auto before = rate_for(*told, 5);
    beside.push_back(rate_beside_backup(*told, data, o.directory / "backup", took));
    auto after = rate_for(*told, 5);
    times.push_back(took);
    alone.push_back((before + after) / 2);
    slower.push_back((1 - beside.back() / alone.back()) * 100);
  }
  told->stop = true;
  end_child(child);
  print_row("no-op jobs, no backup", alone, "jobs/s", "");
  print_row("no-op jobs beside a backup", beside, "jobs/s", "");
  print_row("  slower by", slower, "%", "at most 20");
  print_row("  time of the backup", times, "s", "");
  fs::remove_all(o.directory / "backup");
  fs::remove_all(data);
}

} // namespace troupe::bench
