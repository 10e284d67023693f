#include "actors/store_scrub.hpp"
#include "bench/store_parts.hpp"
#include "core/crc32c.hpp"
#include "storage/lmdb_tables.hpp"
#include "storage/verify.hpp"

#include <fstream>
#include <random>

/// Rows of reading a store: lists, its size, and the check of all of it.
namespace troupe::bench {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t reads = 300;

/// Places all over the list: the job at the end of each page of a walk through all.
std::vector<job_id> places_in(runtime& node) {
  std::vector<job_id> all;
  job_filter filter;
  filter.limit = limits::rows_page_max;
  auto begin = clock::now();
  std::size_t seen = 0;
  for (;;) {
    auto page = must(node.list_page(filter));
    seen += page.jobs.size();
    if (!page.next)
      break;
    filter.before = page.next;
    all.push_back(*page.next);
  }
  print_row("  a walk through all, pages of 1,000",
            {static_cast<double>(seen) / seconds_since(begin) / 1e3}, "k rows/s", "");
  return all;
}

void time_pages(runtime& node, const std::string& name, job_filter filter,
                const std::vector<job_id>& deep, std::size_t runs) {
  std::mt19937_64 random{1};
  std::vector<double> medians;
  for (std::size_t i = 0; i < runs; ++i) {
    std::vector<double> times;
    for (std::size_t k = 0; k < reads; ++k) {
      if (!deep.empty())
        filter.before = deep[random() % deep.size()];
      auto begin = clock::now();
      must(node.list_page(filter));
      times.push_back(seconds_since(begin) * 1e3);
    }
    medians.push_back(quantile(times, 0.5));
  }
  print_row("  " + name + (deep.empty() ? "" : ", deep inside"), medians, "ms", "at most 1");
}

void time_lists(const fs::path& data, const std::string& what, std::size_t runs) {
  runtime_config config;
  config.data_dir = data;
  config.running_jobs_max = 1;
  auto node = must(runtime::open(config, {{"work", hold, false}}));
  std::printf("| list pages of 100, %s, p50: |\n", what.c_str());
  auto deep = places_in(node);
  auto state = must(node.list_page({})).jobs.back().state;
  std::vector<std::pair<std::string, job_filter>> all(7);
  all[0].first = "no filter";
  all[1] = {"state", {}};
  all[1].second.state = state;
  all[2] = {"queue", {}};
  all[2].second.queue = "queue12";
  all[3] = {"label", {}};
  all[3].second.labels["kind"] = "rare";
  all[4] = {"unfinished", {}};
  all[4].second.unfinished = true;
  all[5] = {"queue and state", all[2].second};
  all[5].second.state = state;
  all[6] = {"state of which there are none", {}};
  all[6].second.state = job_state::failed;
  for (auto& [name, filter] : all) {
    time_pages(node, name, filter, {}, runs);
    time_pages(node, name, filter, deep, runs);
  }
}

/// Reads every file, as `verify` has to, and does nothing but checksums.
double raw_check(const fs::path& data) {
  auto begin = clock::now();
  std::vector<std::uint8_t> part(1 << 20);
  double bytes = 0;
  for (auto& x : fs::recursive_directory_iterator{data}) {
    if (!x.is_regular_file())
      continue;
    std::ifstream in{x.path(), std::ios::binary};
    while (in.read(reinterpret_cast<char*>(part.data()), std::streamsize(part.size()))
           || in.gcount() > 0) {
      auto got = static_cast<std::size_t>(in.gcount());
      volatile auto crc = core::crc32c(core::byte_view{part}.first(got));
      (void)crc;
      bytes += static_cast<double>(got);
    }
  }
  return bytes / 1e6 / seconds_since(begin);
}

struct verified {
  double rate, cpu_rate;
};

verified time_verify(const fs::path& data) {
  storage::verify_options options;
  options.graphs = actors::stored_graphs();
  auto begin = clock::now();
  auto cpu = cpu_seconds();
  auto report = must(storage::verify(data, options));
  auto megabytes = static_cast<double>(report.bytes) / 1e6;
  verified rates{megabytes / seconds_since(begin), megabytes / (cpu_seconds() - cpu)};
  if (!report.clean())
    throw std::runtime_error{"the store is damaged; run `troupe verify " + data.string() + "`"};
  return rates;
}

} // namespace

void bench_list(const store_options& o) {
  begun_jobs begun;
  auto pending = pending_store(o, o.jobs, begun);
  in_child([&] { time_lists(pending, "pending jobs", o.runs); });
  auto finished = finished_store(o, o.jobs);
  in_child([&] { time_lists(finished, "finished jobs", o.runs); });
}

void bench_bytes(const store_options& o) {
  auto data = finished_store(o, o.jobs);
  in_child([&] {
    auto directory = must(storage::data_dir::open(data, storage::open_mode::read));
    auto tables = must(storage::open_lmdb_tables(directory));
    auto sizes = tables->sizes();
    auto jobs = static_cast<double>(o.jobs);
    print_row("store bytes of a finished no-op job", {static_cast<double>(sizes.used) / jobs}, "B",
              "500");
    print_row("  with free pages, the file", {static_cast<double>(sizes.file) / jobs}, "B", "");
  });
}

void bench_verify(const store_options& o) {
  auto data = finished_store(o, o.jobs);
  std::vector<double> raw, rates, cpu, ratios;
  for (std::size_t i = 0; i < o.runs; ++i) {
    raw.push_back(raw_check(data));
    shared<verified> told;
    in_child([&] { *told = time_verify(data); });
    rates.push_back(told->rate);
    cpu.push_back(told->cpu_rate);
    ratios.push_back(rates.back() / raw.back());
  }
  print_row("reading the files, one checksum over all", raw, "MB/s", "");
  print_row("verify", rates, "MB/s", "at least 100");
  print_row("  in a second of one processor", cpu, "MB", "");
  print_row("  ratio", ratios, "x", "");
}

} // namespace troupe::bench
