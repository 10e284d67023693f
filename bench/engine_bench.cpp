// Measures the engine through the library, each figure several times, beside what the disk takes
// in the same run. `docs/performance.md` explains the rows.

#include "bench/load.hpp"
#include "bench/options.hpp"
#include "bench/process.hpp"
#include "bench/raw_sync.hpp"
#include "graph_json/wfformat.hpp"

#include <iterator>
#include <thread>

using namespace troupe;
using namespace troupe::bench;

namespace {

namespace fs = std::filesystem;

struct options {
  fs::path directory = fs::temp_directory_path();
  std::size_t runs = 5;
  std::size_t jobs = 20'000;
  std::string only;
};

runtime open(const fs::path& directory, bool memory = false) {
  runtime_config config;
  config.data_dir = directory;
  config.memory = memory;
  return must(runtime::open(
      config, {{"impure", [](const value&, function_context&) { return value{}; }, false}}));
}

graph_spec layered(std::size_t width, std::size_t layers) {
  graph_builder graph{"layered"};
  auto name = [](std::size_t layer, std::size_t i) {
    return std::to_string(layer) + "." + std::to_string(i);
  };
  for (std::size_t layer = 0; layer < layers; ++layer)
    for (std::size_t i = 0; i < width; ++i) {
      graph.add(name(layer, i), "noop").takes_many();
      for (std::size_t k = 0; layer > 0 && k < std::min<std::size_t>(3, width); ++k)
        graph.connect(name(layer - 1, (i + k) % width), name(layer, i));
    }
  return graph.build();
}

submit_call submits_to(runtime& node) {
  return [&node](const job_spec& spec, runtime::accepted then, runtime::ended finally) {
    node.submit(spec, std::move(then), std::move(finally));
  };
}

/// Keeps `window` jobs in flight until `total` have ended; returns jobs a second.
double throughput(runtime& node, const graph_id& graph, std::size_t total, std::size_t window) {
  job_stream jobs{submits_to(node), window};
  job_spec spec;
  spec.graph = graph;
  auto begin = clock::now();
  for (std::size_t i = 0; i < total; ++i)
    jobs.put(spec);
  jobs.drain();
  return static_cast<double>(jobs.done()) / seconds_since(begin);
}

/// Seconds from submit to done, one job at a time.
std::vector<double> one_at_a_time(runtime& node, const graph_id& graph, std::size_t times) {
  std::vector<double> all;
  job_spec spec;
  spec.graph = graph;
  for (std::size_t i = 0; i < times; ++i) {
    auto begin = clock::now();
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    node.submit(
        spec, [](const auto&) {},
        [&](const auto&) {
          std::scoped_lock lock{mutex};
          done = true;
          changed.notify_one();
        });
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return done; });
    all.push_back(seconds_since(begin));
  }
  return all;
}

void bench_throughput(const options& o, const char* name, const graph_spec& graph, std::size_t jobs,
                      const char* goal) {
  std::vector<double> rates;
  for (std::size_t i = 0; i < o.runs; ++i) {
    fs::remove_all(o.directory / "node");
    auto node = open(o.directory / "node");
    auto id = must(node.add_graph(graph));
    throughput(node, id, jobs / 10, 1000);
    rates.push_back(throughput(node, id, jobs, 4000));
  }
  print_row(name, rates, "jobs/s", goal);
}

void bench_latency(const options& o) {
  std::vector<double> ratios, times, raws;
  for (std::size_t i = 0; i < o.runs; ++i) {
    fs::remove_all(o.directory / "node");
    auto node = open(o.directory / "node");
    auto id = must(node.add_graph(chain(1, "noop", {})));
    one_at_a_time(node, id, 200);
    auto raw = quantile(raw_sync(o.directory, 500), 0.5);
    auto p50 = quantile(one_at_a_time(node, id, 1000), 0.5);
    raws.push_back(raw * 1e6);
    times.push_back(p50 * 1e6);
    ratios.push_back(p50 / raw);
  }
  print_row("raw sync: 4 KiB into written blocks, p50", raws, "us", "");
  print_row("one no-op job at a time, submit to done, p50", times, "us", "");
  print_row("  ratio to raw sync", ratios, "x", "at most 3");
}

/// Seconds of one run of a graph that is loaded.
double run_once(runtime& node, const graph_id& graph) {
  return one_at_a_time(node, graph, 1).front();
}

void bench_layers(const options& o) {
  struct shape {
    std::size_t width, layers;
  };
  for (auto [width, layers] : {shape{10, 10}, {100, 10}, {100, 100}, {1000, 100}, {1000, 1000}}) {
    std::vector<double> each;
    auto node = open({}, true);
    auto id = must(node.add_graph(layered(width, layers)));
    auto size = static_cast<double>(width * layers);
    auto repeats = std::max<std::size_t>(1, 20'000 / (width * layers));
    run_once(node, id);
    for (std::size_t i = 0; i < o.runs; ++i) {
      double total = 0;
      for (std::size_t k = 0; k < repeats; ++k)
        total += run_once(node, id);
      each.push_back(total / static_cast<double>(repeats) / size * 1e6);
    }
    print_row("in memory, " + std::to_string(width) + " x " + std::to_string(layers)
                  + ", fan-in 3, a vertex",
              each, "us", width == 1000 && layers == 100 ? "at most 2" : "");
  }
}

void bench_montage(const options& o) {
  std::ifstream file{TROUPE_SOURCE_DIR
                     "/examples/data/wfinstances/montage-chameleon-2mass-05d-001.json"};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  auto graph = graph_json::import_wfformat(text, {}).spec;
  std::vector<double> times;
  for (std::size_t i = 0; i < o.runs; ++i) {
    fs::remove_all(o.directory / "node");
    auto node = open(o.directory / "node");
    auto id = must(node.add_graph(graph));
    times.push_back(run_once(node, id) * 1e3);
  }
  print_row("Montage, 1,738 no-op vertices, durable", times, "ms", "at most 100");
}

void bench_idle(const options& o) {
  fs::remove_all(o.directory / "node");
  auto node = open(o.directory / "node");
  std::this_thread::sleep_for(std::chrono::seconds{1});
  auto before = cpu_seconds();
  std::this_thread::sleep_for(std::chrono::seconds{5});
  print_row("idle: CPU of one core", {(cpu_seconds() - before) / 5 * 100}, "%", "about 0");
  print_row("idle: anonymous memory", {memory_bytes("RssAnon") / (1 << 20)}, "MB", "at most 25");
}

options options_of(int argc, char** argv) {
  options o;
  read_options(argc, argv,
               {sets(o.directory, "--dir", "DIR"), sets(o.runs, "--runs", "N"),
                sets(o.jobs, "--jobs", "N"), sets(o.only, "--only", "ROW")});
  return o;
}

} // namespace

int main(int argc, char** argv) try {
  auto o = options_of(argc, argv);
  own_directory own{o.directory, "engine_bench.data"};
  o.directory = own.path();
  auto wanted = [&](const char* name) { return o.only.empty() || o.only == name; };
  value::object impure{{"name", "impure"}};
  std::printf("| %-44s | %10s | %-21s | %-8s | goal |\n", "", "median", "least…most", "unit");
  if (wanted("idle"))
    bench_idle(o);
  if (wanted("latency"))
    bench_latency(o);
  if (wanted("noop"))
    bench_throughput(o, "durable no-op jobs", chain(1, "noop", {}), o.jobs,
                     "15,000; stretch 30,000");
  if (wanted("pure"))
    bench_throughput(o, "ten pure steps", chain(10, "noop", {}), o.jobs, "5,000");
  if (wanted("impure"))
    bench_throughput(o, "ten impure steps", chain(10, "function", impure), o.jobs / 4, "1,000");
  if (wanted("montage"))
    bench_montage(o);
  if (wanted("layers"))
    bench_layers(o);
} catch (const std::exception& x) {
  std::fprintf(stderr, "engine_bench: %s\n", x.what());
  return 1;
}
