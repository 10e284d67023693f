#include "tests/support/engine_client.hpp"
#include "tests/support/temp_dir.hpp"

#include <fstream>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t large = 100'000; ///< Lies in a blob.

storage::blob_time later(std::chrono::hours x) {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) + x;
}

struct swept_node {
  temp_dir directory;
  runtime_config config;

  swept_node() { config.data_dir = directory.path() / "data"; }

  engine_client open() {
    auto fill = [](const value& in, function_context&) {
      return value{std::string(large, in.find("job")->string()->front())};
    };
    return engine_client{config, {{"fill", fill, false}}};
  }
};

graph_spec filling(const char* name = "filling") {
  return graph_builder{name}.add("a", "function", {{"name", "fill"}}).build();
}

/// A job whose input and output are blobs; each letter makes others.
job_spec job_of(const graph_id& graph, char letter) {
  job_spec spec;
  spec.graph = graph;
  spec.input = std::string(large + 1, letter);
  return spec;
}

std::size_t blobs_in(engine_client& node) { return node.engine().blobs().list({})->size(); }

status sweep(engine_client& node, std::chrono::hours after = 2h) {
  return node.engine().sweep(later(after));
}

} // namespace

TEST_CASE_METHOD(swept_node, "the blobs of deleted jobs go, those of others stay",
                 "[actors][sweep]") {
  job_id kept, gone;
  {
    auto node = open();
    auto graph = node.add(filling());
    kept = must(node.submit(job_of(graph, 'k')));
    gone = must(node.submit(job_of(graph, 'g')));
    REQUIRE(must(node.wait(kept)).state == job_state::completed);
    REQUIRE(must(node.wait(gone)).state == job_state::completed);
    CHECK(blobs_in(node) == 5);
    CHECK(sweep(node));
    CHECK(blobs_in(node) == 5);
    REQUIRE(node.remove(gone));
    CHECK(sweep(node, 0h)); // Too young.
    CHECK(blobs_in(node) == 5);
    CHECK(sweep(node));
    CHECK(blobs_in(node) == 3);
    auto seen = node.engine().stats();
    CHECK(seen.sweeps == 3);
    CHECK(seen.swept_blobs == 2);
    CHECK(seen.swept_bytes > 2 * large);
    CHECK(must(node.wait(kept)).result.find("a")->string()->size() == large);
  }
  auto node = open(); // By its row in the snapshot, or by the journal.
  CHECK(sweep(node));
  CHECK(blobs_in(node) == 3);
  REQUIRE(node.remove(kept));
  CHECK(sweep(node));
  CHECK(blobs_in(node) == 1); // The graph.
}

TEST_CASE_METHOD(swept_node, "a graph that no job names stays for a while, then it goes",
                 "[actors][sweep]") {
  graph_id used, unused;
  {
    auto node = open();
    used = node.add(filling("used"));
    unused = node.add(filling("unused"));
    must(node.wait(must(node.submit(job_of(used, 'x')))));
  }
  auto node = open();
  auto& graphs = *node.engine().env().graphs;
  CHECK(sweep(node, 24h * 6));
  CHECK(graphs.spec({}, unused));
  CHECK(sweep(node, 24h * 8));
  CHECK(graphs.spec({}, unused).code() == ec::no_such_graph);
  CHECK(graphs.spec({}, used));
  CHECK(node.submit(job_of(unused, 'y')).code() == ec::no_such_graph);
}

TEST_CASE_METHOD(swept_node, "what a request will name is held until it is recorded or dropped",
                 "[actors][sweep]") {
  auto node = open();
  auto graph = node.add(filling());
  auto earlier = must(node.submit(job_of(graph, 'e')));
  must(node.wait(earlier));

  auto spec = job_of(graph, 'n');
  spec.reuse = reuse_spec{earlier, "a"};
  auto request = must(actors::checked(spec, node.engine()));
  REQUIRE(node.remove(earlier));
  CHECK(sweep(node, 24h * 8));
  CHECK(blobs_in(node) == 4); // The graph, both inputs, and the output that may be reused.
  auto id = must(node.send(std::move(request)));
  CHECK(must(node.wait(id)).state == job_state::completed);
  request = {};

  auto dropped = must(actors::checked(job_of(graph, 'd'), node.engine()));
  CHECK(sweep(node));
  auto held = blobs_in(node);
  dropped = {};
  CHECK(sweep(node));
  CHECK(blobs_in(node) == held - 1);
}

TEST_CASE_METHOD(swept_node, "a job is not made from a job of another namespace",
                 "[actors][runtime]") {
  auto node = open();
  auto graph = node.add(filling());
  auto earlier = must(node.submit(job_of(graph, 'e')));
  must(node.wait(earlier));
  auto spec = job_of(graph, 'n');
  spec.ns = namespace_id{7};
  must(node.engine().env().graphs->add(spec.ns, filling()));
  spec.reuse = reuse_spec{earlier, "a"};
  CHECK(node.submit(spec).code() == ec::no_such_job);
}

TEST_CASE_METHOD(swept_node, "a journal whose files are gone is told, not taken for a new one",
                 "[actors][store]") {
  job_id id;
  {
    auto node = open();
    id = must(node.submit(job_of(node.add(filling()), 'x')));
    must(node.wait(id));
    auto until = std::chrono::steady_clock::now() + 60s;
    while (node.engine().stats().lag_bytes > 0)
      REQUIRE(std::chrono::steady_clock::now() < until);
  }
  auto journal = config.data_dir / "journal", aside = directory.path() / "aside";
  std::filesystem::create_directories(aside);
  std::vector<std::filesystem::path> segments;
  for (auto& x : std::filesystem::directory_iterator{journal})
    if (x.path().extension() == ".seg")
      segments.push_back(x.path().filename());
  REQUIRE_FALSE(segments.empty());
  for (auto& name : segments)
    std::filesystem::rename(journal / name, aside / name);
  auto refused = actors::engine::open(config, {});
  REQUIRE(refused.code() == ec::journal_corrupt);
  CHECK(refused.error().detail.find("the snapshot has seen segment") != std::string::npos);
  for (auto& name : segments)
    std::filesystem::rename(aside / name, journal / name);
  auto node = open();
  CHECK(must(node.wait(id)).state == job_state::completed);
}

TEST_CASE_METHOD(swept_node, "a node tells how its store is", "[actors][store]") {
  auto node = open();
  must(node.wait(must(node.submit(job_of(node.add(filling()), 'x')))));
  auto now = node.engine().stats();
  CHECK(now.snapshot_is_written);
  CHECK((now.lag_records > 0) == (now.lag_bytes > 0));
  CHECK(now.journal_bytes > 0);
  CHECK(now.disk_free_bytes > 0);
  CHECK(now.new_jobs_have_space);
  CHECK(now.disk_needed_bytes > 0);
}
