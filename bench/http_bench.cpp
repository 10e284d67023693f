// Measures a node over HTTP: the load comes from this process, the node is another one. Each row
// beside a trivial Beast handler or raw sync, in the same run. `docs/performance.md` explains the
// rows.

#include "bench/http_rows.hpp"
#include "bench/options.hpp"
#include "bench/raw_sync.hpp"

#include <atomic>
#include <poll.h>
#include <thread>
#include <utility>

using namespace troupe::bench;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t many = 100;         ///< Connections.
constexpr std::size_t answer_bytes = 420; ///< As many as a new job has.

/// Submits again and again.
next_request submits() {
  return [request = request_of("POST", "/v1/jobs", noop_job)](
             std::size_t, const http_answer* before, bool& counts) {
    if (before)
      expect(*before, 201);
    counts = before;
    return request;
  };
}

load_result trivial_load(const http_bench_options& o, std::size_t connections) {
  auto server = start_trivial(answer_bytes);
  auto got = run_load(server.port, connections, o.seconds, submits());
  stop_trivial(server);
  return got;
}

void bench_submits(const http_bench_options& o) {
  std::vector<double> rates, trivial, ratios, late;
  for (std::size_t i = 0; i < o.runs; ++i) {
    trivial.push_back(trivial_load(o, many).rate());
    http_node x{o};
    auto got = run_load(x.port, many, o.seconds, submits());
    rates.push_back(got.rate());
    late.push_back(quantile(got.latencies, 0.99) * 1e3);
    ratios.push_back(got.rate() / trivial.back());
  }
  print_row("trivial handler, 100 connections", trivial, "1/s", "");
  print_row("durable submits, 100 connections", rates, "1/s", "10,000");
  print_row("  ratio to the trivial handler", ratios, "x", "");
  print_row("  p99", late, "ms", "");
}

void bench_one(const http_bench_options& o) {
  std::vector<double> raws, times, over, trivial;
  for (std::size_t i = 0; i < o.runs; ++i) {
    raws.push_back(quantile(raw_sync(o.directory, 500), 0.5) * 1e3);
    trivial.push_back(quantile(trivial_load(o, 1).latencies, 0.5) * 1e3);
    http_node x{o};
    times.push_back(quantile(run_load(x.port, 1, o.seconds, submits()).latencies, 0.5) * 1e3);
    over.push_back(times.back() - raws.back());
  }
  print_row("raw sync, p50", raws, "ms", "");
  print_row("trivial handler, one connection, p50", trivial, "ms", "");
  print_row("durable submit, one connection, p50", times, "ms", "");
  print_row("  above raw sync", over, "ms", "at most 0.25");
}

/// Sends lines while it reads their answers; returns how many were made.
std::size_t stream_batch(http_connection& c, std::size_t lines) {
  constexpr std::size_t piece_lines = 500;
  std::string piece;
  for (std::size_t i = 0; i < piece_lines; ++i)
    piece += noop_job + "\n";
  std::jthread writer{[&] {
    c.send(
        "POST /v1/jobs:batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
        "Content-Length: "
        + std::to_string(lines * (noop_job.size() + 1)) + "\r\n\r\n");
    for (std::size_t i = 0; i < lines; i += piece_lines)
      c.send(piece);
  }};
  std::size_t made = 0;
  while (made < lines && c.read_more())
    for (auto text = c.take_chunks(); auto ch : text)
      made += ch == '\n';
  return made;
}

void bench_batch(const http_bench_options& o) {
  std::vector<double> rates;
  for (std::size_t i = 0; i < o.runs; ++i) {
    http_node x{o};
    http_connection c{x.port};
    auto begin = clock::now();
    if (stream_batch(c, o.lines) != o.lines)
      throw std::runtime_error{"the batch was cut short"};
    rates.push_back(static_cast<double>(o.lines) / seconds_since(begin));
  }
  print_row("streamed batch, one connection", rates, "jobs/s", "50,000");
}

void bench_results(const http_bench_options& o) {
  std::vector<double> rates;
  for (std::size_t i = 0; i < o.runs; ++i) {
    http_node x{o};
    auto submit = request_of("POST", "/v1/jobs", noop_job);
    auto got = run_load(
        x.port, many, o.seconds, [&](std::size_t, const http_answer* before, bool& counts) {
          if (!before || before->status == 200) {
            counts = before;
            return submit;
          }
          return request_of("GET", "/v1/jobs/" + made_id(*before) + "/result?wait=30s");
        });
    rates.push_back(got.rate());
  }
  print_row("submit to result, 100 connections", rates, "1/s", "5,000");
}

void bench_scrape(const http_bench_options& o) {
  std::vector<double> p50, worst;
  for (std::size_t i = 0; i < o.runs; ++i) {
    http_node x{o};
    std::vector<double> times;
    std::atomic<bool> over{false};
    std::jthread scraper{[&] {
      http_connection c{x.port};
      while (!over) {
        auto begin = clock::now();
        expect(c.ask(request_of("GET", "/metrics")), 200);
        times.push_back(seconds_since(begin) * 1e3);
        ::poll(nullptr, 0, 100);
      }
    }};
    run_load(x.port, many, o.seconds, submits());
    over = true;
    scraper.join();
    p50.push_back(quantile(times, 0.5));
    worst.push_back(std::ranges::max(times));
  }
  print_row("scrape beside 100 connections, p50", p50, "ms", "at most 10");
  print_row("  the slowest", worst, "ms", "");
}

/// Jobs that are forgotten half a minute after their end, each waited for and looked at.
next_request short_lives() {
  auto submit = request_of("POST", "/v1/jobs", kept_for(noop_job, "30s"));
  auto ids = std::make_shared<std::vector<std::string>>(many);
  return [submit, ids](std::size_t i, const http_answer* before, bool& counts) {
    auto& id = (*ids)[i];
    if (before && before->status == 201) {
      id = made_id(*before);
      return request_of("GET", "/v1/jobs/" + id + "/result?wait=30s");
    }
    if (before)
      expect(*before, 200);
    if (!id.empty())
      return request_of("GET", "/v1/jobs/" + std::exchange(id, {}));
    counts = before;
    return submit;
  };
}

/// Reads the events of new jobs to their ends, over a connection of its own each.
void read_to_ends(std::uint16_t port, const std::atomic<bool>& over) {
  while (!over) {
    http_connection c{port};
    auto id = made_id(c.ask(request_of("POST", "/v1/jobs", kept_for(noop_job, "30s"))));
    c.send("GET /v1/jobs/" + id
           + "/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    while (c.read_more()) {
    }
  }
}

/// Not by default: whether memory, descriptors and files stay as they are.
void bench_soak(const http_bench_options& o) {
  http_node x{o};
  std::atomic<bool> over{false};
  std::jthread reader{[&] { read_to_ends(x.port, over); }};
  std::size_t jobs = 0;
  for (std::size_t i = 0; i <= 10; ++i) {
    auto memory = x.memory();
    std::printf(
        "soak %3zu %%: %9zu jobs, %7.1f MB, of which %.1f MB are anonymous, %zu descriptors, "
        "%.0f MB of files\n",
        i * 10, jobs, memory.all, memory.anonymous, x.open_files(), x.disk_mb());
    std::fflush(stdout);
    if (i < 10)
      jobs += run_load(x.port, many, o.seconds / 10, short_lives()).answers;
  }
  over = true;
}

struct row {
  const char* name;
  void (*run)(const http_bench_options&);
  bool usual = true;
};

constexpr row rows[]{{"submits", bench_submits}, {"one", bench_one},
                     {"batch", bench_batch},     {"results", bench_results},
                     {"readers", bench_readers}, {"scrape", bench_scrape},
                     {"soak", bench_soak, false}};

http_bench_options options_of(int argc, char** argv) {
  http_bench_options o;
  o.troupe = fs::path{argv[0]}.parent_path() / "troupe";
  read_options(argc, argv,
               {sets(o.directory, "--dir", "DIR"), sets(o.troupe, "--troupe", "PROGRAM"),
                sets(o.runs, "--runs", "N"), sets(o.seconds, "--seconds", "N"),
                sets(o.lines, "--lines", "N"), sets(o.readers, "--readers", "N"),
                sets(o.only, "--only", "ROW")});
  return o;
}

} // namespace

int main(int argc, char** argv) try {
  auto o = options_of(argc, argv);
  own_directory own{o.directory, "http_bench.data"};
  o.directory = own.path();
  std::printf("| %-44s | %10s | %-21s | %-8s | goal |\n", "", "median", "least…most", "unit");
  for (auto& row : rows)
    if (o.only.empty() ? row.usual : o.only == row.name)
      row.run(o);
} catch (const std::exception& x) {
  std::fprintf(stderr, "http_bench: %s\n", x.what());
  return 1;
}
