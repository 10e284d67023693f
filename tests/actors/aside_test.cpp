#include "tests/support/catch.hpp"
#include "tests/support/gathered_reports.hpp"
#include "tests/support/must.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <filesystem>
#include <fstream>

using namespace troupe;
using namespace std::chrono_literals;
using tests::must;
namespace fs = std::filesystem;

namespace {

constexpr auto patience = 30s;

/// A node whose blobs can be taken away while it is closed.
struct fixture {
  tests::temp_dir directory;
  runtime_config config;
  tests::gathered_reports reports;

  fixture() {
    config.data_dir = directory.path() / "data";
    config.shards = 1;
    reports.gather_from(config);
  }

  runtime open() { return must(runtime::open(config)); }

  std::string told() const { return reports.text(); }

  fs::path blobs() const { return config.data_dir / "blobs"; }
  fs::path taken() const { return directory.path() / "taken"; }

  /// Takes the values of more than 100 kB away: no graph here has so many.
  void take_blobs() const {
    fs::create_directories(taken());
    std::vector<fs::path> large;
    for (auto& x : fs::recursive_directory_iterator{blobs()})
      if (x.is_regular_file() && x.file_size() > 100'000)
        large.push_back(x.path());
    REQUIRE(large.size() == 1);
    std::ofstream{taken() / "from"} << large.front().string();
    fs::rename(large.front(), taken() / "blob");
  }
  void give_back() const {
    std::string to;
    std::getline(std::ifstream{taken() / "from"}, to);
    fs::rename(taken() / "blob", to);
  }
};

job_spec noop(runtime& node) {
  job_spec spec;
  spec.graph = must(node.add_graph(graph_builder{"other"}.add("a", "noop").build()));
  return spec;
}

/// Its value lies in a blob, which it needs once a worker has done its part.
job_spec large(runtime& node) {
  graph_builder graph{"large"};
  graph.add("big", "jq", value::object{{"program", "\"x\" * 200000"}});
  graph.add("work", "worker", value::object{{"task", "nobody"}});
  graph.connect("big", "work");
  job_spec spec;
  spec.graph = must(node.add_graph(graph.build()));
  return spec;
}

void wait_for_work(runtime& node, job_id id) {
  auto events = must(node.events(id));
  for (;;) {
    auto some = must(events.next(patience));
    REQUIRE_FALSE(some.empty());
    for (auto& x : some)
      if (auto vertex = x.data.find("vertex"); x.type == "end_vertex" && vertex)
        return;
  }
}

} // namespace

TEST_CASE_METHOD(fixture, "a job whose value is gone is set aside, and the others go on",
                 "[actors][aside]") {
  job_id id;
  {
    auto node = open();
    id = must(node.submit(large(node)));
    wait_for_work(node, id);
  }
  take_blobs();
  {
    auto node = open();
    auto other = must(node.submit(noop(node)));
    CHECK(must(node.wait(other, patience)).state == job_state::completed);
    CHECK(node.wait(id, patience).code() == ec::blob_missing);
    CHECK(told().find("job " + to_string(id) + " cannot go on: blob_missing") != std::string::npos);
  }
  SECTION("it goes on once the value is back") {
    give_back();
    auto node = open();
    CHECK(must(node.get(id)).state == job_state::running);
    CHECK(node.wait(id, 10ms).code() == ec::timed_out);
    CHECK(node.cancel(id));
    CHECK(must(node.wait(id, patience)).state == job_state::cancelled);
  }
  SECTION("it can be cancelled meanwhile") {
    auto node = open();
    CHECK(node.pause(id).code() == ec::blob_missing);
    CHECK(node.cancel(id));
    CHECK(must(node.list()).front().state != job_state::running);
    auto events = must(node.events(id));
    std::string last;
    for (auto some = must(events.next(patience)); !some.empty(); some = must(events.next(patience)))
      last = some.back().type;
    CHECK(last == "end");
  }
}

TEST_CASE_METHOD(fixture, "a pending job whose input is gone gives its turn to the next",
                 "[actors][aside]") {
  config.running_jobs_max = 1;
  job_id first, second, third;
  {
    auto node = open();
    graph_builder graph{"busy"};
    graph.add("work", "worker", value::object{{"task", "nobody"}});
    job_spec busy;
    busy.graph = must(node.add_graph(graph.build()));
    first = must(node.submit(busy));
    auto spec = noop(node);
    spec.input = value::object{{"text", std::string(200'000, 'x')}};
    second = must(node.submit(spec));
    third = must(node.submit(noop(node)));
  }
  take_blobs();
  auto node = open();
  CHECK(node.stop(first));
  CHECK(must(node.wait(third, patience)).state == job_state::completed);
  CHECK(node.wait(second, patience).code() == ec::blob_missing);
  SECTION("it stands in the queue again once it was paused") {
    give_back();
    CHECK(node.pause(second));
    CHECK(node.resume(second));
    CHECK(must(node.wait(second, patience)).state == job_state::completed);
  }
  SECTION("it can be cancelled") {
    CHECK(node.cancel(second));
    auto all = must(node.list());
    CHECK(std::count_if(all.begin(), all.end(),
                        [](auto& x) { return x.state == job_state::cancelled; })
          == 1);
  }
}
