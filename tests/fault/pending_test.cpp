#include "tests/fault/store_checks.hpp"
#include "tests/support/engine_client.hpp"

#include <fstream>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t many = sanitized ? 20'000 : 100'000;
constexpr std::size_t bytes_a_job_max = 400; // All in.

/// Memory of this process that no file backs.
std::size_t anonymous_bytes() {
  std::ifstream lines{"/proc/self/status"};
  for (std::string what; lines >> what;)
    if (std::size_t kib = 0; what == "RssAnon:" && lines >> kib)
      return kib << 10;
  return 0;
}

runtime_config config_of(const scratch& in) {
  runtime_config x;
  x.data_dir = in.path() / "data";
  x.running_jobs_max = 1; // Of each shard.
  return x;
}

graph_spec holding() { return graph_builder{"g"}.add("a", "function", {{"name", "hold"}}).build(); }

} // namespace

TEST_CASE("many pending jobs are all there after a restart, as rows", "[fault][pending]") {
  scratch in;
  std::atomic<bool> may_go = false;
  std::atomic<std::size_t> ran = 0;
  runtime::functions functions{{"hold",
                                [&](const value&, function_context&) {
                                  may_go.wait(false);
                                  ++ran;
                                  return value{};
                                },
                                false}};
  std::atomic<std::size_t> accepted = 0, refused = 0;
  {
    auto node = must(runtime::open(config_of(in), functions));
    job_spec spec;
    spec.graph = must(node.add_graph(holding()));
    constexpr std::size_t together = 512;
    for (std::size_t i = 0; i < many; ++i) {
      REQUIRE(eventually([&] { return i - accepted - refused < together; }));
      spec.queue = "q" + std::to_string(i % 16);
      node.submit(spec, [&](const result<job_id>& x) { ++(x ? accepted : refused); });
    }
    REQUIRE(eventually([&] { return accepted + refused == many; }));
    CHECK(refused == 0);
    may_go = true; // The ones that run end; the others find the runtime closing.
    may_go.notify_all();
    node.close();
  }
  may_go = false;
  auto ended = ran.load();
  auto before = anonymous_bytes();
  auto node = must(runtime::open(config_of(in), functions));
  std::uint64_t left = 0, done = 0;
  for (auto& x : must(node.totals()))
    (terminal(x.state) ? done : left) += x.jobs;
  CHECK(left + done == many);
  CHECK(left >= many - ended);
  auto in_queues = [&] {
    for (auto& x : must(node.load()).limits)
      if (x.limit == "pending_jobs")
        return x.in_use;
    return std::uint64_t{0};
  };
  REQUIRE(eventually([&] { return in_queues() == left - 4; })); // One of each shard runs.
  if (!sanitized)
    CHECK(anonymous_bytes() < before + many * bytes_a_job_max);
  may_go = true;
  may_go.notify_all();
  REQUIRE(eventually([&] { return ran > ended; })); // They go on.
  node.close();
}
