#include "storage/compact.hpp"
#include "storage/data_pin.hpp"
#include "tests/fault/small_disk.hpp"
#include "tests/support/engine_client.hpp"

#include <atomic>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t megabyte = 1 << 20;

value large(const value&, function_context&) { return std::string(30'000, 'x'); }

/// A node on a disk of 64 MiB, of which 6 are for accepted jobs, and 6 are in reserve.
struct node_on_disk {
  explicit node_on_disk(const char* kind) : disk{in, 64 * megabyte, kind} {}

  scratch in;
  small_disk disk;
  std::atomic<bool> may_go = false;
  std::atomic<int> reports = 0;

  runtime_config config() {
    runtime_config x;
    x.data_dir = disk.path() / "data";
    x.min_free_bytes = 6 * megabyte;
    x.report = [this](const std::string&) { ++reports; };
    return x;
  }
  engine_client open() {
    function hold = [this](const value&, function_context&) {
      may_go.wait(false);
      return value{};
    };
    return engine_client{config(), {{"large", large, false}, {"hold", hold, false}}};
  }
  void let_go() {
    may_go = true;
    may_go.notify_all();
  }
};

job_spec job_of(const graph_id& graph, std::size_t input = 40'000) {
  job_spec spec;
  spec.graph = graph;
  spec.input = std::string(input, 'i');
  return spec;
}

graph_spec one_large() {
  return graph_builder{"g"}.add("a", "function", {{"name", "large"}}).build();
}

/// Records more than the segments that are there can hold, once it is let go.
graph_spec many_large() {
  graph_builder builder{"many"};
  builder.add("hold", "function", {{"name", "hold"}});
  std::string before = "hold";
  for (int i = 0; i < 400; ++i) {
    auto name = "v" + std::to_string(i);
    builder.add(name, "function", {{"name", "large"}}).connect(before, name);
    before = name;
  }
  return std::move(builder).build();
}

void check_completed(engine_client& node, const std::vector<job_id>& jobs) {
  for (auto& id : jobs) {
    result<job_info> info = ec::timed_out;
    REQUIRE(eventually([&] { return (info = node.wait(id)).code() != ec::timed_out; }));
    REQUIRE(info);
    REQUIRE(info->state == job_state::completed);
  }
}

bool is_caught_up(engine_client& node) { return node.engine().stats().lag_bytes == 0; }

std::size_t jobs_told(engine_client& node) {
  std::size_t count = 0;
  for (auto& shard : node.engine().contexts())
    count += must(shard->view->list({})).rows.size();
  return count;
}

} // namespace

TEST_CASE("a disk under load refuses new jobs, ends accepted ones, and comes back by itself",
          "[fault][disk]") {
  auto kind = GENERATE("tmpfs", "ext4");
  CAPTURE(kind);
  node_on_disk x{kind};
  if (x.disk.is_missing())
    return;
  x.disk.fill(28 * megabyte);
  std::vector<job_id> accepted;
  {
    auto node = x.open();
    auto graph = node.add(one_large());
    status refused;
    while (refused) {
      auto id = node.submit(job_of(graph));
      refused = id ? status{} : status{id.error()};
      if (id)
        accepted.push_back(*id);
    }
    INFO(refused.error().detail);
    CHECK(refused.code() == ec::no_space);
    CHECK(has(refused.error().detail, "free space, then repeat"));
    CHECK(accepted.size() > 20);
    check_completed(node, accepted);
    CHECK(jobs_told(node) > 0);
    auto now = node.engine().stats();
    CHECK_FALSE(now.new_jobs_have_space);
    CHECK(now.snapshot_is_written);
    CHECK(x.reports > 0);
    auto before = node.engine().blobs().list({})->size();
    CHECK(node.submit(job_of(graph, 200'000)).code() == ec::no_space);
    CHECK(node.engine().env().graphs->add({}, many_large()).code() == ec::no_space);
    CHECK(node.engine().blobs().list({})->size() == before);
    CHECK(node.add(one_large()) == graph); // It is there already.

    x.disk.clear();
    CHECK(eventually([&] {
      auto id = node.submit(job_of(graph));
      if (id)
        accepted.push_back(*id);
      return bool(id);
    }));
    check_completed(node, accepted);
    CHECK(eventually([&] { return is_caught_up(node); })); // While it is full, it may have to wait.
  }
  auto node = x.open();
  check_completed(node, accepted);
}

TEST_CASE("a job that meets a full disk waits for space, and nothing is lost", "[fault][disk]") {
  auto kind = GENERATE("tmpfs", "ext4");
  CAPTURE(kind);
  node_on_disk x{kind};
  if (x.disk.is_missing())
    return;
  job_id id;
  {
    auto node = x.open();
    auto graph = node.add(many_large());
    id = must(node.submit(job_of(graph)));
    x.disk.fill(0);
    x.let_go();
    REQUIRE(eventually([&] { return !node.engine().stats().new_jobs_have_space; }));
    CHECK(node.submit(job_of(graph)).code() == ec::no_space);
    // It goes on as far as the disk does: what is prepared, and the snapshot, are full then.
    REQUIRE(eventually([&] {
      auto now = node.engine().stats();
      return now.disk_free_bytes < megabyte && now.lag_bytes > 0;
    }));
    CHECK(jobs_told(node) == 1);
    x.disk.clear();
    check_completed(node, {id});
    CHECK(eventually([&] { return is_caught_up(node); }));
    CHECK(node.engine().stats().snapshot_is_written);
  }
  auto node = x.open();
  check_completed(node, {id});
}

TEST_CASE("a node is closed and opened again while its disk is full", "[fault][disk]") {
  auto kind = GENERATE("tmpfs", "ext4");
  CAPTURE(kind);
  node_on_disk x{kind};
  if (x.disk.is_missing())
    return;
  std::vector<job_id> accepted;
  graph_id graph;
  {
    auto node = x.open();
    graph = node.add(one_large());
    for (int i = 0; i < 20; ++i)
      accepted.push_back(must(node.submit(job_of(graph))));
    check_completed(node, accepted);
    accepted.push_back(must(node.submit(job_of(node.add(many_large())))));
    x.disk.fill(0);
    x.let_go();
    REQUIRE(eventually([&] { return node.engine().stats().disk_free_bytes < megabyte; }));
  }
  x.disk.fill(0); // What it gave back as it closed is taken, too.
  auto node = x.open();
  CHECK(jobs_told(node) == accepted.size());
  CHECK(node.submit(job_of(graph)).code() == ec::no_space);
  x.disk.clear();
  check_completed(node, accepted);
}

TEST_CASE("a full disk is opened, and compacted, with what is in reserve", "[fault][disk]") {
  auto kind = GENERATE("tmpfs", "ext4");
  CAPTURE(kind);
  node_on_disk x{kind};
  if (x.disk.is_missing())
    return;
  auto data = x.disk.path() / "data";
  auto fill_but_reserve = [&] {
    auto name = data / "RESERVE";
    std::ofstream{name} << std::string(6 * megabyte, '\0');
    REQUIRE(fs::file_size(name) == 6 * megabyte);
    x.disk.fill(0);
  };
  auto is_given_up = [&] { return !fs::exists(data / "RESERVE"); };
  std::vector<job_id> accepted;
  {
    auto node = x.open();
    auto graph = node.add(one_large());
    for (int i = 0; i < 20; ++i)
      accepted.push_back(must(node.submit(job_of(graph))));
    check_completed(node, accepted);
    REQUIRE(eventually([&] { return is_caught_up(node); }));
  }
  fill_but_reserve();
  must(storage::compact(data));
  CHECK(is_given_up());
  fill_but_reserve();
  {
    auto node = x.open();
    CHECK(is_given_up());
    check_completed(node, accepted);
  }
}

TEST_CASE("who reads the directory makes it grow up to the limit only, and lets it go on",
          "[fault][disk]") {
  constexpr int most = 5'000;
  auto kind = GENERATE("tmpfs", "ext4");
  CAPTURE(kind);
  node_on_disk x{kind};
  if (x.disk.is_missing())
    return;
  x.disk.fill(48 * megabyte);
  auto node = x.open();
  auto graph = node.add(one_large());
  /// One job comes, ends and goes: what it took is used again. Nothing: it was refused.
  auto pass = [&] {
    auto id = node.submit(job_of(graph));
    if (id) {
      check_completed(node, {*id});
      REQUIRE(node.remove(*id));
    }
    return id;
  };
  auto settled = [&] { return eventually([&] { return is_caught_up(node); }); };
  for (int i = 0; i < 100; ++i) {
    REQUIRE(pass());
    if (i % 20 == 0)
      REQUIRE(settled());
  }
  auto read = must(storage::data_dir::open(x.disk.path() / "data", storage::open_mode::read));
  auto pin = std::optional{must(storage::data_pin::take(read))}; // As every reader does.
  result<job_id> last = pass();
  for (int i = 0; last && i < most; ++i)
    last = pass();
  REQUIRE(last.code() == ec::no_space); // What the reader may need was kept.
  CHECK(node.engine().stats().snapshot_is_written);
  CHECK(x.disk.free_bytes() > 0);
  pin.reset();
  CHECK(eventually([&] { return bool(pass()); }));
  REQUIRE(settled());
  CHECK(pass());
}
