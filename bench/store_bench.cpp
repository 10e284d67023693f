// Measures the store: the snapshot behind the journal, restarts, memory, reads, checks, backups.
// Each row several times, most of them beside something else that is measured in the same run.
// `docs/performance.md` explains the rows.

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

store_options read_options(int argc, char** argv) {
  store_options o;
  for (int i = 1; i < argc; i += 2) {
    std::string key = argv[i], x = i + 1 < argc ? argv[i + 1] : "";
    if (key == "--dir")
      o.directory = x;
    else if (key == "--runs")
      o.runs = std::stoul(x);
    else if (key == "--jobs")
      o.jobs = std::stoul(x);
    else if (key == "--seconds")
      o.seconds = std::stoul(x);
    else if (key == "--keep")
      o.keep = x == "yes";
    else if (key == "--only")
      o.only = x;
    else
      throw std::runtime_error{
          "options: --dir DIR, --runs N, --jobs N, --seconds N, --keep yes, --only ROW"};
  }
  return o;
}

} // namespace

int main(int argc, char** argv) try {
  auto o = read_options(argc, argv);
  std::filesystem::create_directories(o.directory);
  std::printf("| %-44s | %10s | %-21s | %-8s | goal |\n", "", "median", "least…most", "unit");
  for (auto& row : rows)
    if (o.only.empty() || o.only == row.name)
      row.run(o);
  if (!o.keep)
    std::filesystem::remove_all(o.directory);
} catch (const std::exception& x) {
  std::fprintf(stderr, "store_bench: %s\n", x.what());
  return 1;
}
