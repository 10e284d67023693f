#include "tests/e2e/json.hpp"
#include "tests/e2e/process.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

/// v0 → v1 → … by delays, then `sum`. Its large output is a blob.
std::string slow_graph(int n, int ms) {
  std::string vertices, edges;
  for (int i = 0; i < n; ++i) {
    auto id = "v" + std::to_string(i);
    vertices += R"({"id": ")" + id + R"(", "kind": "delay", "config": {"for": ")"
                + std::to_string(ms) + R"(ms"}},)";
    edges += (i > 0 ? "," : "") + std::string{R"({"from": ")"} + id + R"(", "to": ")"
             + (i + 1 < n ? "v" + std::to_string(i + 1) : "sum") + "\"}";
  }
  return R"({"name": "slow", "vertices": [)" + vertices
         + R"({"id": "sum", "kind": "noop", "config": {"output": ")" + std::string(100'000, 'x')
         + R"("}}], "edges": [)" + edges + "]}";
}

/// A blob, and a program that waits for the file `go`; then the blob again.
std::string gated_graph() {
  return R"({"name": "gated", "vertices": [
    {"id": "large", "kind": "noop", "config": {"output": ")"
         + std::string(100'000, 'x') + R"("}},
    {"id": "gate", "kind": "exec", "config": {"shell": "until [ -e go ]; do sleep 0.05; done"}},
    {"id": "last", "kind": "jq", "inputs": {"large": "one", "gate": "one"},
     "config": {"program": ".large"}}],
    "edges": [{"from": "large", "to": "last", "to_port": "large"},
              {"from": "gate", "to": "last", "to_port": "gate"}]})";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// A directory with some ended jobs.
void fill(const scratch& in, int jobs) {
  in.write("quick.json", R"({"name": "quick", "vertices": [
    {"id": "a", "kind": "noop", "config": {"output": [1, 2, 3]}},
    {"id": "b", "kind": "jq", "config": {"program": ".in | add"}}],
    "edges": [{"from": "a", "to": "b"}]})");
  for (int i = 0; i < jobs; ++i)
    REQUIRE(troupe_with(in, {"run", "quick.json"}).code == 0);
}

std::vector<value> jobs_in(const scratch& in, const std::string& data) {
  return lines_of(
      troupe_with(in, {"jobs", "list", "--limit", "1000", "-o", "ndjson", "--data", data}).out);
}

void check_clean(const scratch& in, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"verify", "-o", "json"});
  auto verified = troupe_with(in, arguments);
  INFO(verified.out << verified.err);
  CHECK(verified.code == 0);
  CHECK(*json_of(verified.out).find("clean") == value{true});
}

} // namespace

TEST_CASE("the drill: back up a busy directory, restore elsewhere, verify both", "[e2e]") {
  scratch in;
  fill(in, 3);
  in.write("slow.json", gated_graph());
  process busy{in, {"run", "slow.json", "-o", "ndjson"}};
  REQUIRE(eventually([&] { return count(lines_of(busy.out()), "vertex_start", "gate") > 0; }));

  auto made = troupe_with(in, {"backup", "backup"});
  INFO(made.out << made.err);
  REQUIRE(made.code == 0);
  CHECK(has(made.out, "4 jobs"));
  check_clean(in, {"--online"});
  check_clean(in, {"backup"});
  CHECK(troupe_with(in, {"verify"}).code == 6); // In use, and nobody said --online.
  in.write("go", "");
  CHECK(busy.wait().code == 0);
  check_clean(in, {});

  auto restored = troupe_with(in, {"restore", "backup", "--data", "other"});
  INFO(restored.out << restored.err);
  REQUIRE(restored.code == 0);
  check_clean(in, {"--data", "other"});
  auto resumed = troupe_with(in, {"run", "--resume", "--data", "other"});
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  CHECK(has(resumed.out, "xxx"));
  check_clean(in, {"--data", "other"});
  auto jobs = jobs_in(in, "other");
  CHECK(jobs.size() == 4);
  for (auto& job : jobs)
    CHECK(text_at(job, "state") == "completed");
}

TEST_CASE("what is there already is never written over", "[e2e]") {
  scratch in;
  fill(in, 1);
  REQUIRE(troupe_with(in, {"backup", "backup"}).code == 0);
  auto again = troupe_with(in, {"backup", "backup"});
  CHECK(again.code == 4);
  CHECK(has(again.err, "error[E0020]"));
  CHECK(troupe_with(in, {"restore", "backup", "--data", ".troupe"}).code == 4);
  CHECK(troupe_with(in, {"restore", "nothing", "--data", "new"}).code == 3);
  CHECK(troupe_with(in, {"backup", "new", "--data", "nothing"}).code == 3);
  CHECK_FALSE(fs::exists(in.path() / "new"));
}

TEST_CASE("a copy that was cut short is told with one thing to do", "[e2e]") {
  scratch in;
  fill(in, 1);
  fs::create_directory(in.path() / "backup.partial");
  auto refused = troupe_with(in, {"backup", "backup"});
  CHECK(refused.code == 4);
  CHECK(has(refused.err, "error[E0020]"));
  CHECK(has(refused.err, "one is at work\ntry: remove it, then repeat\n"));
}

TEST_CASE("a path that is something else is wrong, not unavailable", "[e2e]") {
  scratch in;
  fill(in, 1);
  REQUIRE(troupe_with(in, {"export", "--output", "jobs.ndjson"}).code == 0);
  REQUIRE(troupe_with(in, {"backup", "copy"}).code == 0);
  fs::create_directory(in.path() / "else");
  in.write("else/notes", "mine");
  auto check = [&](std::vector<std::string> arguments, const std::string& number,
                   const std::string& says) {
    auto refused = troupe_with(in, std::move(arguments));
    INFO(refused.err);
    CHECK(refused.code == 3);
    CHECK(has(refused.err, "error[" + number + "]"));
    CHECK(has(refused.err, says));
  };
  const std::vector<std::vector<std::string>> verbs{
      {"export"}, {"compact"}, {"backup", "new"}, {"jobs", "list"}, {"jobs", "purge", "--yes"}};
  for (auto verb : verbs) {
    verb.insert(verb.end(), {"--data", "copy"});
    check(verb, "E0010", "try: `troupe restore copy --data NEW`");
    verb.back() = "else";
    check(verb, "E0010", "there is no MANIFEST in it");
    verb.back() = "jobs.ndjson";
    check(verb, "E0010", "it is no directory");
  }
  for (auto verb : {std::vector<std::string>{"import", "jobs.ndjson"},
                    {"run", "quick.json"},
                    {"serve", "--port", "0"}}) {
    verb.insert(verb.end(), {"--data", "copy"});
    check(verb, "E0010", "try: `troupe restore copy --data NEW`");
  }
  check({"verify", "else"}, "E0010", "there is no MANIFEST in it");
  check({"restore", ".troupe", "--data", "new"}, "E0002", "it is a data directory");
  check({"restore", "else", "--data", "new"}, "E0002", "there is no BACKUP in it");
  CHECK_FALSE(fs::exists(in.path() / "new"));
  CHECK(std::distance(fs::directory_iterator{in.path() / "else"}, {}) == 1);
  fs::remove(in.path() / ".troupe" / "MANIFEST");
  CHECK(troupe_with(in, {"export"}).code == 6); // Damaged.
}

TEST_CASE("an export says why its file cannot be written", "[e2e]") {
  scratch in;
  fill(in, 1);
  auto refused = troupe_with(in, {"export", "--output", "/dev/full"});
  CHECK(refused.code == 1);
  CHECK(has(refused.err, "error[E0017]: cannot write /dev/full\nwhy: No space left on device"));
  auto missing = troupe_with(in, {"export", "--output", "no/such/directory"});
  CHECK(has(missing.err, "why: No such file or directory"));
}

TEST_CASE("verify finds a flipped byte, says where, and exits with 1", "[e2e]") {
  scratch in;
  fill(in, 2);
  REQUIRE(troupe_with(in, {"backup", "backup"}).code == 0);
  fs::path blob;
  for (auto& x : fs::recursive_directory_iterator{in.path() / "backup" / "blobs"})
    if (x.is_regular_file())
      blob = x.path();
  REQUIRE_FALSE(blob.empty());
  std::fstream file{blob, std::ios::in | std::ios::out | std::ios::binary};
  file.seekp(1).put('~');
  file.close();
  auto found = troupe_with(in, {"verify", "backup"});
  CHECK(found.code == 1);
  CHECK(has(found.out, blob.filename().string()));
  CHECK(has(found.err, "error[E0019]"));
  auto told = json_of(troupe_with(in, {"verify", "backup", "-o", "json"}).out);
  CHECK(*told.find("clean") == value{false});
  CHECK_FALSE(told.find("findings")->items()->empty());
}

TEST_CASE("compact keeps all jobs", "[e2e]") {
  scratch in;
  fill(in, 3);
  auto before = jobs_in(in, ".troupe");
  auto done = troupe_with(in, {"compact", "-o", "json"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  auto told = json_of(done.out);
  CHECK(*told.find("bytes_after")->integer() <= *told.find("bytes_before")->integer());
  CHECK(jobs_in(in, ".troupe") == before);
  check_clean(in, {});
}

TEST_CASE("ended jobs are purged once that is confirmed", "[e2e]") {
  scratch in;
  fill(in, 3);
  CHECK(troupe_with(in, {"jobs", "purge"}).code == 2);
  CHECK(troupe_with(in, {"jobs", "purge", "--state", "running", "--yes"}).code == 2);
  auto counted = troupe_with(in, {"jobs", "purge", "--dry-run"});
  INFO(counted.err);
  CHECK(counted.out == "would delete 3 jobs\n");
  CHECK(troupe_with(in, {"jobs", "purge", "--dry-run", "--yes"}).out == counted.out);
  CHECK(troupe_with(in, {"jobs", "purge", "--older-than", "1h", "--yes"}).out
        == "deleted 0 jobs\n");
  CHECK(jobs_in(in, ".troupe").size() == 3);
  CHECK(troupe_with(in, {"jobs", "purge", "--state", "completed", "--yes"}).out
        == "deleted 3 jobs\n");
  CHECK(jobs_in(in, ".troupe").empty());
  check_clean(in, {});
}

TEST_CASE("an export is imported whole, also into other shards, and goes on", "[e2e]") {
  scratch in;
  fill(in, 3);
  in.write("slow.json", slow_graph(6, 200));
  process killed{in, {"run", "slow.json", "-o", "ndjson"}};
  REQUIRE(eventually([&] { return count(lines_of(killed.out()), "vertex_start", "v2") > 0; }));
  auto exported = troupe_with(in, {"export", "--output", "jobs.ndjson"});
  INFO(exported.err);
  REQUIRE(exported.code == 0);
  killed.send(SIGKILL);
  killed.wait();

  auto imported = troupe_with(in, {"import", "jobs.ndjson", "--data", "other", "--shards", "7"});
  INFO(imported.err);
  REQUIRE(imported.code == 0);
  CHECK(has(imported.out, "4 jobs"));
  check_clean(in, {"--data", "other"});
  CHECK(troupe_with(in, {"run", "--resume", "--data", "other"}).code == 0);
  check_clean(in, {"--data", "other"});
  CHECK(jobs_in(in, "other").size() == 4);

  auto again = troupe_with(in, {"import", "jobs.ndjson", "--data", "other"});
  CHECK(again.code == 4);
  CHECK(has(again.err, "error[E0022]"));
  auto skipped = troupe_with(in, {"import", "jobs.ndjson", "--data", "other", "--skip-existing"});
  INFO(skipped.err);
  CHECK(skipped.code == 0);
  CHECK(has(skipped.out, "imported 0 jobs, 0 graphs, 0 blobs"));
  CHECK(has(skipped.out, "left as they are: 4 jobs, 2 graphs"));
}

TEST_CASE("what an import makes is an incarnation of its own, and stays that", "[e2e]") {
  scratch in;
  fill(in, 1);
  REQUIRE(troupe_with(in, {"export", "--output", "jobs.ndjson"}).code == 0);
  auto incarnation = [&](const char* data) {
    auto exported = troupe_with(in, {"export", "--data", data});
    REQUIRE(exported.code == 0);
    return *lines_of(exported.out).front().find("incarnation")->integer();
  };
  auto import_to = [&](const char* data) {
    auto done = troupe_with(in, {"import", "jobs.ndjson", "--data", data, "--skip-existing"});
    INFO(done.err);
    REQUIRE(done.code == 0);
    return incarnation(data);
  };
  CHECK(incarnation(".troupe") == 1);
  auto first = import_to("first"), second = import_to("second");
  CHECK(first > 1);
  CHECK(second > 1);
  CHECK(first != second);
  CHECK(import_to("first") == first);
  CHECK(troupe_with(in, {"jobs", "purge", "--yes", "--data", "first"}).code == 0);
  CHECK(import_to("first") == first);
  check_clean(in, {"--data", "first"});
}

TEST_CASE("what is no export makes no directory", "[e2e]") {
  scratch in;
  for (auto text : {"garbage\n", "{\"job\": 1}\n", "", "\n\n"}) {
    auto refused = troupe_with(in, {"import", "-", "--data", "new"}, text);
    INFO(refused.err);
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "error[E0021]"));
    CHECK(has(refused.err, "nothing was imported"));
    CHECK_FALSE(fs::exists(in.path() / "new"));
  }
}

TEST_CASE("a wrong line of an import is told with its number", "[e2e]") {
  scratch in;
  fill(in, 2);
  auto lines = troupe_with(in, {"export"}).out;
  auto end = lines.rfind("{\"blobs\"");
  auto cut = end == lines.npos ? lines.substr(0, lines.rfind("\n{")) + "\n" : lines.substr(0, end);
  auto missing = troupe_with(in, {"import", "-", "--data", "a"}, cut);
  CHECK(missing.code == 1);
  CHECK(has(missing.err, "cut off"));

  auto at = lines.find("\"records\":\"") + 40;
  auto wrong = lines;
  wrong[at] = wrong[at] == 'A' ? 'B' : 'A';
  auto refused = troupe_with(in, {"import", "-", "--data", "b"}, wrong);
  CHECK(refused.code == 1);
  CHECK(has(refused.err, "error[E0021]"));
  CHECK(has(refused.err, "line 3 (byte "));
  check_clean(in, {"--data", "b"});
}

TEST_CASE("a graph that no job names is exported and imported", "[e2e]") {
  scratch in;
  fill(in, 1);
  REQUIRE(troupe_with(in, {"jobs", "purge", "--yes"}).code == 0);
  auto exported = troupe_with(in, {"export", "--output", "jobs.ndjson"});
  INFO(exported.out << exported.err);
  CHECK(has(exported.out, "0 jobs, 1 graph"));
  CHECK(has(troupe_with(in, {"export", "--state", "completed"}).out, "\"graphs\":0"));
  CHECK(troupe_with(in, {"import", "jobs.ndjson", "--data", "other"}).code == 0);
  auto again = troupe_with(in, {"export", "--data", "other", "--output", "again.ndjson"});
  CHECK(has(again.out, "0 jobs, 1 graph"));
}

TEST_CASE("what is exported is for its owner alone", "[e2e]") {
  scratch in;
  fill(in, 1);
  REQUIRE(troupe_with(in, {"export", "--output", "jobs.ndjson"}).code == 0);
  CHECK(fs::status(in.path() / "jobs.ndjson").permissions()
        == (fs::perms::owner_read | fs::perms::owner_write));
  fs::permissions(in.path() / "jobs.ndjson", fs::perms::all);
  auto size = fs::file_size(in.path() / "jobs.ndjson");
  in.write("jobs.ndjson", std::string(2 * size, 'x'));
  REQUIRE(troupe_with(in, {"export", "--output", "jobs.ndjson"}).code == 0);
  CHECK(fs::status(in.path() / "jobs.ndjson").permissions()
        == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(fs::file_size(in.path() / "jobs.ndjson") < size + 100);
  CHECK(fs::status(in.path() / ".troupe" / "exec").permissions() == fs::perms::owner_all);
  CHECK(troupe_with(in, {"export", "--output", "/dev/stdout"}).code == 0);
  CHECK(troupe_with(in, {"export", "--output", "no/such/directory"}).code != 0);
}

TEST_CASE("an export leaves out what is damaged, says so, and has all else", "[e2e]") {
  scratch in;
  fill(in, 2);
  in.write("slow.json", slow_graph(1, 1));
  REQUIRE(troupe_with(in, {"run", "slow.json"}).code == 0);
  fs::path value;
  for (auto& x : fs::recursive_directory_iterator{in.path() / ".troupe" / "blobs"})
    if (x.is_regular_file() && std::ifstream{x.path()}.get() != '{')
      value = x.path();
  REQUIRE_FALSE(value.empty());
  fs::resize_file(value, fs::file_size(value) - 1);

  auto exported = troupe_with(in, {"export", "--output", "jobs.ndjson"});
  INFO(exported.out << exported.err);
  CHECK(exported.code == 1);
  CHECK(has(exported.out, "2 jobs"));
  CHECK(has(exported.err, value.filename().string()));
  CHECK(has(exported.err, "is left out"));
  CHECK(has(exported.err, "error[E0019]: 1 thing could not be exported"));
  auto imported = troupe_with(in, {"import", "jobs.ndjson", "--data", "other"});
  INFO(imported.err);
  CHECK(imported.code == 0);
  CHECK(jobs_in(in, "other").size() == 2);
  check_clean(in, {"--data", "other"});
}

TEST_CASE("an export tells a damaged graph that no job names", "[e2e]") {
  scratch in;
  fill(in, 1);
  REQUIRE(troupe_with(in, {"jobs", "purge", "--yes"}).code == 0);
  fs::path graph;
  for (auto& x : fs::recursive_directory_iterator{in.path() / ".troupe" / "blobs"})
    if (x.is_regular_file() && std::ifstream{x.path()}.get() == '{')
      graph = x.path();
  REQUIRE_FALSE(graph.empty());
  fs::resize_file(graph, fs::file_size(graph) - 1);
  auto exported = troupe_with(in, {"export", "--output", "jobs.ndjson"});
  INFO(exported.out << exported.err);
  CHECK(exported.code == 1);
  CHECK(has(exported.out, "0 jobs, 0 graphs"));
  CHECK(has(exported.err, "warning: graph " + graph.filename().string() + " is left out"));
  CHECK(has(exported.err, "error[E0019]: 1 thing could not be exported"));
}

TEST_CASE("an import does not ignore a number of shards that cannot be", "[e2e]") {
  scratch in;
  fill(in, 1);
  REQUIRE(troupe_with(in, {"export", "--output", "jobs.ndjson"}).code == 0);
  REQUIRE(troupe_with(in, {"import", "jobs.ndjson", "--data", "other", "--shards", "2"}).code == 0);
  auto refused = troupe_with(
      in, {"import", "jobs.ndjson", "--data", "other", "--shards", "8", "--skip-existing"});
  CHECK(refused.code == 2);
  CHECK(has(refused.err, "other has 2 shards, not 8"));
  CHECK(troupe_with(
            in, {"import", "jobs.ndjson", "--data", "other", "--shards", "2", "--skip-existing"})
            .code
        == 0);
}

TEST_CASE("a restore tells what is in no backup", "[e2e]") {
  scratch in;
  fill(in, 1);
  REQUIRE(troupe_with(in, {"backup", "backup"}).code == 0);
  auto restored = troupe_with(in, {"restore", "backup", "--data", "other"});
  CHECK(restored.code == 0);
  CHECK(has(restored.err, "keys.json"));
}
