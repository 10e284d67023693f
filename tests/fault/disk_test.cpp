#include "core/crc32c.hpp"
#include "tests/fault/fault_graphs.hpp"
#include "tests/fault/small_disk.hpp"

#include <cstdio>

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr std::size_t megabyte = 1 << 20;
const std::vector<std::string> run_on_disk{"run", "g.json", "--data", "disk/data", "-o", "ndjson"};
const std::vector<std::string> resume_on_disk{"run",       "--resume", "--data",
                                              "disk/data", "-o",       "ndjson"};

/// `exec` vertices one after another whose outputs of `bytes` fill a disk.
std::string filling_graph(int vertices, int bytes) {
  graph_text g;
  for (int i = 0; i < vertices; ++i) {
    auto id = "v" + std::to_string(i);
    g.vertex(id, "exec",
             R"({"shell": "echo )" + id + "; head -c " + std::to_string(bytes)
                 + R"( /dev/zero | tr '\\0' x"})");
    if (i > 0)
      g.edge("v" + std::to_string(i - 1), id);
  }
  g.vertex("sum", "noop", R"({"output": 42})");
  g.edge("v" + std::to_string(vertices - 1), "sum");
  return g.text("filling");
}

/// The job goes on, and what the broken run told was true.
void check_resumed(const scratch& in, const outcome& broken) {
  auto resumed = troupe_with(in, resume_on_disk);
  INFO(resumed.err);
  REQUIRE(resumed.code == 0);
  CHECK(std::string_view{resumed.out}.starts_with(broken.out));
  auto events = lines_of(resumed.out);
  CHECK(gapless(events));
  CHECK(*events.back().find("data")->find("result") == value{value::object{{"sum", 42}}});
  CHECK(jobs_in(in, "disk/data").size() == 1);
}

} // namespace

TEST_CASE("a disk that becomes full ends a run clearly, and nothing told is lost",
          "[fault][disk]") {
  // Outputs in records, and beside them.
  auto [kind, bytes, disk_bytes] =
      GENERATE(table<const char*, int, std::size_t>({{"tmpfs", 20'000, 12 * megabyte},
                                                     {"tmpfs", 20'000, 15 * megabyte},
                                                     {"tmpfs", 90'000, 12 * megabyte},
                                                     {"tmpfs", 90'000, 15 * megabyte},
                                                     {"tmpfs", 300'000, 12 * megabyte},
                                                     {"tmpfs", 300'000, 15 * megabyte},
                                                     {"ext4", 60'000, 12 * megabyte},
                                                     {"ext4", 90'000, 15 * megabyte},
                                                     {"ext4", 300'000, 12 * megabyte}}));
  CAPTURE(bytes, disk_bytes, kind);
  scratch in;
  small_disk disk{in, 64 * megabyte, kind};
  if (disk.is_missing())
    return;
  disk.fill(disk_bytes);
  in.write("g.json", filling_graph(16'000'000 / bytes, bytes));
  auto broken = troupe_with(in, run_on_disk);
  INFO(broken.err);
  CHECK(refused(broken, "E0117"));
  REQUIRE_FALSE(lines_of(broken.out).empty());
  disk.clear();
  check_resumed(in, broken);
}

TEST_CASE("on a full disk no job begins, and the next run is as if nothing was", "[fault][disk]") {
  auto left = GENERATE(std::size_t{0}, std::size_t{4096}, std::size_t{64} << 10, megabyte);
  auto kind = GENERATE("tmpfs", "ext4");
  CAPTURE(left, kind);
  scratch in;
  small_disk disk{in, 16 * megabyte, kind};
  if (disk.is_missing())
    return;
  disk.fill(left);
  in.write("g.json", filling_graph(1, 10));
  auto broken = troupe_with(in, run_on_disk);
  INFO(broken.err);
  CHECK(refused(broken, "E0117"));
  CHECK(broken.out.empty());
  disk.clear();
  CHECK(troupe_with(in, resume_on_disk).code == 3);
  auto again = troupe_with(in, run_on_disk);
  INFO(again.err);
  CHECK(again.code == 0);
  CHECK(jobs_in(in, "disk/data").size() == 1);
}

TEST_CASE("a limit to the size of files is a full disk, not a signal", "[fault][disk]") {
  scratch in;
  in.write("g.json", filling_graph(5, 2'000'000)); // Values that no file can hold.
  outcome broken;
  {
    file_size_limit limit{megabyte + megabyte / 2};
    broken = troupe_with(in, run_on_disk);
  }
  INFO(broken.err);
  CHECK(refused(broken, "E0117"));
  check_resumed(in, broken);
}

TEST_CASE("a limit too small for a graph is told before there is a job", "[fault][disk]") {
  auto bytes = GENERATE(4096, 65'536); // Not even the graph's file; not the first segment.
  scratch in;
  in.write("g.json", filling_graph(100, 10));
  {
    file_size_limit limit{static_cast<rlim_t>(bytes)};
    auto broken = troupe_with(in, run_on_disk);
    INFO(broken.err);
    CHECK(refused(broken, "E0117"));
    CHECK(broken.out.empty());
  }
  CHECK(troupe_with(in, resume_on_disk).code == 3);
  CHECK(troupe_with(in, run_on_disk).code == 0);
}

TEST_CASE("a read-only disk is told, and can be read", "[fault][disk]") {
  auto kind = GENERATE("tmpfs", "ext4");
  CAPTURE(kind);
  scratch in;
  small_disk disk{in, 16 * megabyte, kind};
  if (disk.is_missing())
    return;
  in.write("g.json", filling_graph(1, 10));
  disk.set_read_only(true);
  auto fresh = troupe_with(in, run_on_disk);
  INFO(fresh.err);
  CHECK(refused(fresh, "E0116"));
  disk.set_read_only(false);
  REQUIRE(troupe_with(in, run_on_disk).code == 0);
  auto jobs = jobs_in(in, "disk/data");
  auto history = history_of(in, text_at(jobs.front(), "id"), "disk/data");

  disk.set_read_only(true);
  for (auto& command : {run_on_disk, resume_on_disk}) {
    auto again = troupe_with(in, command);
    INFO(again.err);
    CHECK(refused(again, "E0116"));
    CHECK(has(again.err, "ead-only"));
  }
  CHECK(jobs_in(in, "disk/data") == jobs);
  CHECK(history_of(in, text_at(jobs.front(), "id"), "disk/data").out == history.out);
}

TEST_CASE("a data directory of a newer format is refused", "[fault][disk]") {
  auto field = GENERATE("format", "feature_level");
  scratch in;
  in.write("g.json", filling_graph(1, 10));
  REQUIRE(troupe_with(in, run_on_disk).code == 0);
  auto path = in.path() / "disk/data/MANIFEST";
  auto text = read_file(path);
  text.resize(text.rfind("crc32c "));
  auto key = "\n" + std::string{field} + " ";
  auto at = text.find(key) + key.size();
  text.replace(at, text.find('\n', at) - at, "99");
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x",
                core::crc32c({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
  std::ofstream{path} << text << "crc32c " << digits << "\n";
  for (auto& command : {run_on_disk, resume_on_disk,
                        std::vector<std::string>{"jobs", "list", "--data", "disk/data"}}) {
    auto run = troupe_with(in, command);
    INFO(run.err);
    CHECK(refused(run, "E0113", 4));
    CHECK(has(run.err, "start the version that wrote it"));
    CHECK(run.out.empty());
  }
}

TEST_CASE("a journal of another node is refused, and left as it is", "[fault][disk]") {
  scratch in;
  in.write("g.json", filling_graph(1, 10));
  REQUIRE(troupe_with(in, run_on_disk).code == 0);
  REQUIRE(troupe_with(in, {"run", "g.json", "--data", "other"}).code == 0);
  auto own = in.path() / "disk/data/journal/0000000000000001.seg";
  fs::copy_file(in.path() / "other/journal/0000000000000001.seg", own,
                fs::copy_options::overwrite_existing);
  auto before = read_file(own);
  for (auto& command : {run_on_disk, resume_on_disk,
                        std::vector<std::string>{"jobs", "list", "--data", "disk/data"}}) {
    auto run = troupe_with(in, command);
    INFO(run.err);
    CHECK(refused(run, "E0114", 4));
    CHECK(has(run.err, "belongs to node"));
    CHECK(run.out.empty());
  }
  CHECK(read_file(own) == before);
}

TEST_CASE("a directory in use is refused by the pid of its owner, and can be read",
          "[fault][disk]") {
  scratch in;
  graph_text g;
  g.vertex("talk", "exec", R"({"shell": "echo said >&2"})");
  g.vertex("wait", "delay", R"({"for": "10m"})");
  g.edge("talk", "wait");
  in.write("g.json", g.text("live"));
  process owner{in, {"run", "g.json", "-o", "ndjson"}};
  REQUIRE(eventually([&] { return count(lines_of(owner.out()), "vertex_start", "wait") > 0; }));
  auto pid = read_file(in.path() / ".troupe/LOCK");
  CHECK(fs::read_symlink("/proc/" + pid + "/exe") == TROUPE_BINARY_DIR "/bin/troupe");
  for (auto resume : {false, true}) {
    auto second = troupe_with(in, {"run", resume ? "--resume" : "g.json"});
    INFO(second.err);
    CHECK(refused(second, "E0115"));
    CHECK(has(second.err, "pid " + pid));
  }
  auto jobs = jobs_in(in);
  REQUIRE(jobs.size() == 1);
  CHECK(text_at(jobs.front(), "state") == "running");
  auto id = text_at(jobs.front(), "id");
  auto got = json_of(troupe_with(in, {"jobs", "get", id, "-o", "json"}).out);
  CHECK(*got.find("progress")->find("succeeded") == value{1});
  CHECK(std::string_view{history_of(in, id).out}.starts_with(owner.out()));
  owner.send(SIGKILL);
  CHECK(owner.wait().code == 128 + SIGKILL);
}
