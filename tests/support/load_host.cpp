// A host whose store is at work all the time. It tells on stdout, a line at once, what it was told:
//   load DIR N [MS [BYTES [WORK_MS]]]
//                    submits from number N on, resting MS after each, with as many bytes of input,
//                    each job working for a while, removes what has ended, until it is killed:
//                    `+ N ID` the job N was acknowledged, `- ID` it is going to be removed,
//                    `gone ID` that was acknowledged.
//   flood DIR        submits until it is refused, then until that is over: `+ N ID`, `slow MS`,
//                    `refused WHY`, `lag BYTES`, `again`.
//   soak DIR SECONDS JOBS_PER_SECOND AGE_SECONDS
//                    steady load with retention: each ten seconds a line of sizes.
//   readers DIR      has no host of its own: takes every place of a reader beside the one of DIR,
//                    `full`, until its input ends.

#include "storage/lmdb_tables.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>
#include <unistd.h>

using namespace troupe;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t kept_live = 20;       // Ended jobs that `load` leaves.
constexpr std::int64_t large_each = 16;     // Jobs from one with a blob to the next.
constexpr std::size_t blob_bytes = 70'000;  // Above `limits::record_value_bytes_max`.
constexpr std::size_t flood_bytes = 60'000; // Below it: all goes through the journal.

/// One whole line, whoever else writes.
void say(const std::string& line) {
  auto text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    ::_exit(3);
}

template <class T>
T must(result<T> x) {
  if (x)
    return std::move(*x);
  std::cerr << to_string(x.code()) << ": " << x.error().detail << std::endl;
  ::_exit(2);
}

std::chrono::milliseconds work{0};

value twice(const value& inputs, function_context&) {
  std::this_thread::sleep_for(work);
  return *inputs.find("job")->find("n")->integer() * 2;
}

value next_number(const value& inputs, function_context&) {
  return *inputs.find("in")->integer() + 1;
}

runtime open(const runtime_config& config) {
  return must(runtime::open(config, {{"twice", twice, false}, {"next", next_number, true}}));
}

/// Twice the number, and one: an impure vertex, then a pure one.
graph_spec numbers() {
  return graph_builder{"numbers"}
      .add("twice", "function", {{"name", "twice"}})
      .connect("twice", "next")
      .add("next", "function", {{"name", "next"}})
      .build();
}

job_spec job_of(const graph_id& graph, std::int64_t n, std::size_t bytes = 0) {
  job_spec x;
  x.graph = graph;
  x.queue = "q" + std::to_string(n % 5);
  x.idempotency_key = "n" + std::to_string(n);
  x.labels["n"] = std::to_string(n);
  x.input = value::object{{"n", n}};
  if (auto large = n % large_each == 0 ? blob_bytes : bytes; large > 0)
    x.input = value::object{{"n", n}, {"large", std::string(large, char('a' + n % 26))}};
  return x;
}

/// Submits and removes on threads of its own until it is killed.
int load(const fs::path& directory, std::int64_t first, std::chrono::milliseconds rest,
         std::size_t bytes) {
  constexpr int submitters = 3;
  runtime_config config;
  config.data_dir = directory;
  auto node = open(config);
  auto graph = must(node.add_graph(numbers()));
  say("ready");
  std::atomic<std::int64_t> next{first};
  std::mutex mutex;
  std::deque<job_id> acknowledged;
  auto submit = [&] {
    for (;;) {
      auto n = next++;
      auto id = must(node.submit(job_of(graph, n, bytes)));
      say("+ " + std::to_string(n) + " " + to_string(id));
      {
        std::scoped_lock lock{mutex};
        acknowledged.push_back(id);
      }
      std::this_thread::sleep_for(rest);
    }
  };
  auto oldest = [&]() -> std::optional<job_id> {
    std::scoped_lock lock{mutex};
    if (acknowledged.size() <= kept_live)
      return std::nullopt;
    auto id = acknowledged.front();
    acknowledged.pop_front();
    return id;
  };
  std::vector<std::jthread> all;
  for (int i = 0; i < submitters; ++i)
    all.emplace_back(submit);
  for (;;) {
    auto id = oldest();
    if (!id) {
      std::this_thread::sleep_for(1ms);
      continue;
    }
    must(node.wait(*id, 60s));
    say("- " + to_string(*id));
    if (auto gone = node.remove(*id); !gone)
      must(result<int>{gone.error()});
    say("gone " + to_string(*id));
  }
}

std::uint64_t lag_of(const fs::path& directory) {
  std::uint64_t bytes = 0;
  for (auto& x : fs::directory_iterator{directory / "journal"})
    bytes += x.file_size();
  return bytes;
}

/// Runs into the limit of the lag and out of it again.
int flood(const fs::path& directory) {
  constexpr int together = 64;
  runtime_config config;
  config.data_dir = directory;
  auto node = open(config);
  auto graph = must(node.add_graph(graph_builder{"g"}.add("a", "noop").build()));
  std::atomic<std::int64_t> next{0}, waiting{0};
  std::atomic<bool> refused{false}, again{false};
  std::atomic<std::int64_t> slowest_ms{0};
  auto submit = [&] {
    auto n = next++;
    job_spec x;
    x.graph = graph;
    x.idempotency_key = "n" + std::to_string(n);
    x.input = std::string(flood_bytes, 'x');
    ++waiting;
    node.submit(x, [&, n, began = steady::now()](const result<job_id>& done) {
      auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began);
      slowest_ms = std::max<std::int64_t>(slowest_ms, ms.count());
      if (done)
        say("+ " + std::to_string(n) + " " + to_string(*done));
      if (done && refused && !again.exchange(true))
        say("again");
      if (!done && !refused.exchange(true)) {
        say("slow " + std::to_string(slowest_ms));
        say("refused " + std::string{to_string(done.code())} + " " + done.error().detail);
        say("lag " + std::to_string(lag_of(directory)));
      }
      --waiting;
    });
  };
  for (auto until = steady::now() + 300s; !again && steady::now() < until;)
    if (waiting < (refused ? 1 : together))
      submit();
    else
      std::this_thread::sleep_for(1ms);
  while (waiting > 0)
    std::this_thread::sleep_for(1ms);
  node.close();
  return again ? 0 : 1;
}

std::uint64_t bytes_below(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code gone;
  for (auto& x : fs::recursive_directory_iterator{directory, gone})
    if (auto size = x.is_regular_file(gone) ? x.file_size(gone) : 0; !gone)
      bytes += size;
  return bytes;
}

/// A line of `/proc/self/status`, in bytes.
std::uint64_t memory(const std::string& name) {
  std::ifstream lines{"/proc/self/status"};
  for (std::string what; lines >> what;)
    if (std::uint64_t kib = 0; what == name + ":" && lines >> kib)
      return kib << 10;
  return 0;
}

void tell_sizes(const fs::path& directory, std::chrono::seconds since, std::uint64_t jobs) {
  auto descriptors = std::distance(fs::directory_iterator{"/proc/self/fd"}, {});
  auto mib = [](std::uint64_t bytes) {
    return std::to_string(bytes >> 20) + "." + std::to_string((bytes >> 10) % 1024 * 10 / 1024);
  };
  say(std::to_string(since.count()) + " s: " + std::to_string(jobs) + " jobs, snapshot "
      + mib(bytes_below(directory / "snapshot")) + " MiB, journal "
      + mib(bytes_below(directory / "journal")) + " MiB, blobs "
      + mib(bytes_below(directory / "blobs")) + " MiB, resident " + mib(memory("VmRSS"))
      + " MiB, of which anonymous " + mib(memory("RssAnon")) + " MiB, descriptors "
      + std::to_string(descriptors));
}

/// Steady load with retention. Keys of requests stay a day, and blobs that nothing names an hour:
/// here are none, and few.
int soak(const fs::path& directory, std::chrono::seconds length, std::int64_t jobs_per_second,
         std::chrono::seconds age) {
  constexpr auto step = 10s;
  runtime_config config;
  config.data_dir = directory;
  config.cleanup_grace = 1s;
  for (auto limit : {&retention_policy::completed, &retention_policy::failed})
    (config.retention.*limit).age = age;
  auto node = open(config);
  auto graph = must(node.add_graph(numbers()));
  std::atomic<std::uint64_t> ended{0};
  auto began = steady::now();
  auto told = began;
  for (std::int64_t n = 0; steady::now() - began < length; ++n) {
    std::this_thread::sleep_until(began + n * 1'000'000'000ns / jobs_per_second);
    auto spec = job_of(graph, n % large_each == 0 ? n % (large_each * 26) : n);
    spec.idempotency_key.clear();
    node.submit(
        spec, [](auto&&) {}, [&](auto& end) { ended += end ? 1 : 0; });
    if (auto now = steady::now(); now - told >= step) {
      told += step;
      tell_sizes(directory, std::chrono::duration_cast<std::chrono::seconds>(now - began), ended);
    }
  }
  node.close();
  return 0;
}

/// A reader of the host that goes away leaves its place to the next look.
int readers(const fs::path& directory) {
  auto data = must(storage::data_dir::open(directory, storage::open_mode::read));
  auto store = must(storage::open_lmdb_tables(data));
  std::vector<std::unique_ptr<storage::table_reader>> all;
  while (all.size() < limits::snapshot_readers_max)
    if (auto reader = store->read(); reader)
      all.push_back(std::move(*reader));
    else if (reader.code() == ec::overloaded)
      std::this_thread::sleep_for(1ms);
    else
      must(std::move(reader));
  say("full");
  std::cin.get();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  auto number = [&](std::size_t i) {
    return arguments.size() > i ? std::stoll(arguments[i]) : std::int64_t{0};
  };
  if (arguments.size() >= 3 && arguments.size() <= 6 && arguments[0] == "load") {
    work = std::chrono::milliseconds{number(5)};
    return load(arguments[1], number(2), std::chrono::milliseconds{number(3)},
                static_cast<std::size_t>(number(4)));
  }
  if (arguments.size() == 2 && arguments[0] == "flood")
    return flood(arguments[1]);
  if (arguments.size() == 2 && arguments[0] == "readers")
    return readers(arguments[1]);
  if (arguments.size() == 5 && arguments[0] == "soak")
    return soak(arguments[1], std::chrono::seconds{std::stoll(arguments[2])},
                std::stoll(arguments[3]), std::chrono::seconds{std::stoll(arguments[4])});
  std::cerr << "load DIR N [MS [BYTES [WORK_MS]]], flood DIR, readers DIR, or soak DIR SECONDS "
               "JOBS_PER_SECOND AGE_SECONDS\n";
  return 2;
}
