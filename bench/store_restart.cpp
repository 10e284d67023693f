#include "bench/store_parts.hpp"

#include <atomic>
#include <fstream>
#include <thread>

/// Rows of opening a store: the way to the first dispatch, memory, and the replay of the journal.
namespace troupe::bench {

namespace {

namespace fs = std::filesystem;

struct restarted {
  std::atomic<double> first, opened, memory, own_memory;
};

/// Opens a store with pending jobs and ends when the first of them is dispatched and all are known.
void restart(const fs::path& data, const begun_jobs& begun, restarted& told) {
  auto begin = clock::now();
  auto node = open_node(data, [&](const value& inputs, function_context& context) {
    double unset = 0;
    if (!begun.has(context.job))
      told.first.compare_exchange_strong(unset, seconds_since(begin));
    return hold(inputs, context);
  });
  told.opened = seconds_since(begin);
  while (told.first == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  std::fflush(nullptr);
  ::_exit(0);
}

void wait_until_calm() {
  for (auto before = cpu_seconds();;) {
    std::this_thread::sleep_for(std::chrono::milliseconds{500});
    auto now = cpu_seconds();
    if (now - before < 0.005)
      return;
    before = now;
  }
}

/// Memory of an open store in which every job stays as it is.
void measure_memory(const fs::path& data, restarted& told) {
  in_child([&] {
    auto node = open_node(data, hold, 1);
    wait_for_snapshot(*node);
    wait_until_calm();
    told.memory = memory_bytes("VmRSS");
    told.own_memory = memory_bytes("RssAnon");
    ::_exit(0);
  });
}

/// Seconds from opening a store to the end of the first job that is made then.
double to_first_end(const fs::path& data) {
  shared<restarted> told;
  in_child([&] {
    auto begin = clock::now();
    auto node = open_node(data, hold);
    told->opened = seconds_since(begin);
    auto graph = add(*node, chain(1, "noop", {}));
    job_stream jobs{submits_to(*node), 1};
    jobs.put(spread(graph, 0));
    jobs.drain();
    told->first = seconds_since(begin);
  });
  return told->first;
}

} // namespace

void bench_restart(const store_options& o) {
  for (auto count : {std::size_t{1000}, std::size_t{100'000}, std::size_t{1'000'000}}) {
    begun_jobs begun;
    auto data = pending_store(o, count, begun);
    std::vector<double> first, opened;
    for (std::size_t i = 0; i < o.runs; ++i) {
      auto copy = copy_of(o, data);
      shared<restarted> told;
      in_child([&] { restart(copy, begun, *told); });
      first.push_back(told->first);
      opened.push_back(told->opened);
    }
    auto name = std::to_string(count) + " pending";
    print_row("restart to first dispatch, " + name, first, "s",
              count == 100'000     ? "at most 1"
              : count == 1'000'000 ? "at most 4"
                                   : "");
    print_row("  until all are in their queues", opened, "s", "");
  }
  fs::remove_all(o.directory / "copy");
}

void bench_memory(const store_options& o) {
  begun_jobs begun;
  constexpr std::size_t few = 1000;
  auto many = pending_store(o, o.jobs, begun);
  auto small = pending_store(o, few, begun);
  std::vector<double> each, own;
  for (std::size_t i = 0; i < o.runs; ++i) {
    shared<restarted> with, without;
    measure_memory(many, *with);
    measure_memory(small, *without);
    auto jobs = static_cast<double>(o.jobs - few);
    each.push_back((with->memory - without->memory) / jobs);
    own.push_back((with->own_memory - without->own_memory) / jobs);
  }
  print_row("memory a pending job, after a restart", each, "B", "at most 400");
  print_row("  without pages of the snapshot's file", own, "B", "");
  std::vector<double> submitted;
  for (std::size_t i = 0; i < o.runs; ++i) {
    auto data = o.directory / "grown";
    fs::remove_all(data);
    shared<restarted> told;
    in_child([&] {
      auto node = open_node(data, hold, 1);
      auto graph = add(*node, work_graph());
      job_stream jobs{submits_to(*node), 4000, job_stream::until::accepted};
      auto put = [&](std::size_t count) {
        for (std::size_t k = 0; k < count; ++k)
          jobs.put(spread(graph, k));
        jobs.drain();
        wait_for_snapshot(*node);
      };
      put(20'000);
      auto before = memory_bytes("VmRSS");
      put(o.jobs);
      told->memory = (memory_bytes("VmRSS") - before) / static_cast<double>(o.jobs);
      ::_exit(0);
    });
    submitted.push_back(told->memory);
    fs::remove_all(data);
  }
  print_row("memory a pending job, after submitting it", submitted, "B", "at most 400");
}

void bench_finished(const store_options& o) {
  std::vector<double> few, many, ratios;
  auto large = finished_store(o, o.jobs);
  auto small = finished_store(o, 1000);
  for (std::size_t i = 0; i < o.runs; ++i) {
    few.push_back(to_first_end(small) * 1e3);
    many.push_back(to_first_end(large) * 1e3);
    ratios.push_back(many.back() / few.back());
  }
  print_row("open, one job done: 1,000 finished jobs", few, "ms", "");
  print_row("open, one job done: " + std::to_string(o.jobs) + " finished", many, "ms", "");
  print_row("  ratio", ratios, "x", "about 1");
}

} // namespace troupe::bench
