#include "node/metrics/resource_usage.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

struct machine : troupe::tests::temp_dir {
  resource_paths paths{path() / "proc", path() / "cgroup"};

  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((path() / name).parent_path());
    std::ofstream{path() / name} << text;
  }

  machine() {
    write("proc/self/stat", "7 (a) b) c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 5 6\n");
    write("proc/self/status", "Name:\ta\nVmPeak:\t 9 kB\nVmRSS:\t  2048 kB\n");
    write("proc/meminfo", "MemTotal:       8192 kB\nMemFree: 1 kB\n");
    write("proc/self/cgroup", "0::/system.slice/troupe.service\n");
  }
};

} // namespace

TEST_CASE("a process without limits may use the machine", "[metrics]") {
  machine m;
  auto x = read_resources(m.paths);
  CHECK(x.cpu_seconds > 0);
  CHECK(x.memory_bytes == 2048 * 1024);
  CHECK(x.memory_max_bytes == 8192 * 1024);
}

TEST_CASE("the tightest limit of all cgroups above counts", "[metrics]") {
  machine m;
  m.write("cgroup/system.slice/troupe.service/memory.max", "max\n");
  m.write("cgroup/system.slice/memory.max", "4194304\n");
  m.write("cgroup/system.slice/troupe.service/cpu.max", "50000 100000\n");
  m.write("cgroup/system.slice/cpu.max", "max 100000\n");
  auto x = read_resources(m.paths);
  CHECK(x.memory_max_bytes == 4194304);
  CHECK(x.cpu_cores == Approx(0.5));
}

TEST_CASE("the limit of a cgroup of version 1 counts where there is no other", "[metrics]") {
  machine m;
  m.write("cgroup/memory/memory.limit_in_bytes", "1048576\n");
  CHECK(read_resources(m.paths).memory_max_bytes == 1048576);
  m.write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(read_resources(m.paths).memory_max_bytes == 8192 * 1024);
}

TEST_CASE("what cannot be read is told as nothing", "[metrics]") {
  troupe::tests::temp_dir empty;
  auto x = read_resources({empty.path(), empty.path()});
  CHECK(x.memory_bytes == 0);
  CHECK(x.cpu_cores >= 1);
  CHECK_FALSE(cpu_ticks(""));
  CHECK_FALSE(cpu_ticks("1 (a) S 1"));
  CHECK_FALSE(cpu_quota("max 100000"));
  CHECK_FALSE(cpu_quota("5"));
  CHECK_FALSE(kilobytes_of("VmRSS: x kB", "VmRSS:"));
}

TEST_CASE("the use of processors is that since the last look", "[metrics]") {
  usage_meter meter;
  auto now = usage_meter::clock::now();
  resource_sample x;
  x.cpu_cores = 2;
  x.cpu_seconds = 100;
  x.memory_bytes = 1;
  x.memory_max_bytes = 4;
  CHECK(meter.ratios(x, now).cpu == 0);
  x.cpu_seconds = 101;
  auto used = meter.ratios(x, now + 1s);
  CHECK(used.cpu == Approx(0.5));
  CHECK(used.memory == Approx(0.25));
  x.cpu_seconds = 105;
  CHECK(meter.ratios(x, now + 1s + 1ms).cpu == Approx(0.5)); // Too soon to tell.
  CHECK(meter.ratios(x, now + 3s).cpu == Approx(1));
}
