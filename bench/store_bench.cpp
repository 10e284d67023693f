// Measures the store: the snapshot behind the journal, restarts, memory, reads, checks, backups.
// Each row several times, most of them beside something else that is measured in the same run.
// `docs/performance.md` explains the rows.

#include "bench/options.hpp"
#include "bench/store_parts.hpp"

using namespace troupe;
using namespace troupe::bench;

namespace {

struct row {
  const char* name;
  void (*run)(const store_options&);
};

constexpr row rows[]{
    {"lag", bench_lag},       {"restart", bench_restart}, {"memory", bench_memory},
    {"list", bench_list},     {"bytes", bench_bytes},     {"finished", bench_finished},
    {"verify", bench_verify}, {"backup", bench_backup},   {"replay", bench_replay}};

store_options options_of(int argc, char** argv) {
  store_options o;
  read_options(argc, argv,
               {sets(o.directory, "--dir", "DIR"),
                sets(o.runs, "--runs", "N"),
                sets(o.jobs, "--jobs", "N"),
                sets(o.seconds, "--seconds", "N"),
                {"--keep", "yes", [&o](const std::string& x) { o.keep = x == "yes"; }},
                sets(o.only, "--only", "ROW")});
  return o;
}

} // namespace

int main(int argc, char** argv) try {
  auto o = options_of(argc, argv);
  own_directory own{o.directory, "store_bench.data", o.keep};
  o.directory = own.path();
  std::printf("| %-44s | %10s | %-21s | %-8s | goal |\n", "", "median", "least…most", "unit");
  for (auto& row : rows)
    if (o.only.empty() || o.only == row.name)
      row.run(o);
} catch (const std::exception& x) {
  std::fprintf(stderr, "store_bench: %s\n", x.what());
  return 1;
}
