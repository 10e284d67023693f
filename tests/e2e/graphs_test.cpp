#include "tests/e2e/json.hpp"
#include "tests/e2e/process.hpp"
#include "tests/support/flows.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

const fs::path instances = TROUPE_SOURCE_DIR "/examples/data/wfinstances";

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("validate tells every problem with its place", "[e2e]") {
  scratch in;
  in.write("good.json", R"({"vertices": [{"id": "a", "kind": "noop"}]})");
  in.write("bad.json", R"({"vertices": [{"id": "a", "kind": "nop"}, {"id": "a", "kind": "noop"}],
                           "edges": [{"from": "a", "to": "z"}]})");
  auto good = troupe_with(in, {"graphs", "validate", "good.json"});
  CHECK(good.code == 0);
  CHECK(good.out == "good.json: valid: 1 vertex, 0 edges\n");
  auto bad = troupe_with(in, {"graphs", "validate", "bad.json"});
  CHECK(bad.code == 1);
  CHECK(has(bad.out, "bad.json: /vertices/0/kind: "));
  CHECK(has(bad.out, "bad.json: /vertices/1/id: "));
  CHECK(has(bad.out, "bad.json: /edges/0/to: "));
  auto json = troupe_with(in, {"graphs", "validate", "bad.json", "-o", "json"});
  CHECK(json.code == 1);
  CHECK(*json_of(json.out).find("valid") == value{false});
  CHECK(json_of(json.out).find("errors")->items()->size() == 3);
}

TEST_CASE("an id that is no name hides nothing of the rest of a graph", "[e2e]") {
  scratch in;
  in.write("bad.json",
           R"({"vertices": [{"id": "a", "kind": "noop"}, {"id": "b b", "kind": "noop"}],
               "edges": [{"from": "a", "to": "z"}, {"from": "a", "to": "a"}]})");
  auto bad = troupe_with(in, {"graphs", "validate", "bad.json"});
  CHECK(has(bad.out, "bad.json: /vertices/1/id: "));
  CHECK(has(bad.out, "bad.json: /edges/0/to: "));
  CHECK(has(bad.out, "bad.json: /edges/1: a cycle: a -> a"));
}

TEST_CASE("a rule that is broken is told as a rule", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"vertices": [
    {"id": "a", "kind": "jq", "config": {"program": ""}},
    {"id": "b", "kind": "exec", "config": {"argv": []}},
    {"id": "c", "kind": "noop", "timeouts": {"soft": "2s", "hard": "1s"}},
    {"id": "d", "kind": "noop", "join": {"n": 1}}]})");
  auto bad = troupe_with(in, {"graphs", "validate", "g.json"});
  INFO(bad.out);
  CHECK(has(bad.out, "/vertices/0/config/program: `program` must not be empty"));
  CHECK(has(bad.out, "`argv` has to name at least the program"));
  CHECK(has(bad.out, "`hard` has to be longer than `soft`"));
  CHECK(has(bad.out, "a join by `n` needs edges, and none leads to `d`"));
}

TEST_CASE("files may name their schema, for editors", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"$schema": "graph.schema.json",
                         "vertices": [{"id": "a", "kind": "noop"}]})");
  in.write("bad.json", R"({"$schema": 1, "vertices": [{"id": "a", "kind": "noop"}]})");
  in.write("plain.json", R"({"vertices": [{"id": "a", "kind": "noop"}]})");
  in.write("node.json", R"({"$schema": "config.schema.json"})");
  in.write("odd.json", R"({"$schema": {}})");
  CHECK(troupe_with(in, {"graphs", "validate", "g.json"}).code == 0);
  CHECK(has(troupe_with(in, {"graphs", "validate", "bad.json"}).out, "bad.json: /$schema: "));
  CHECK(troupe_with(in, {"run", "g.json"}).code == 0);
  CHECK(troupe_with(in, {"run", "plain.json", "--from", "a"}).code == 0); // It is the same graph.
  CHECK(troupe_with(in, {"serve", "--check", "-c", "node.json"}).code == 0);
  CHECK(has(troupe_with(in, {"serve", "--check", "-c", "odd.json"}).err, "odd.json: /$schema: "));
}

TEST_CASE("results of a directory that is not there are not reused, nor is it made", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"vertices": [{"id": "a", "kind": "noop"}]})");
  auto none = troupe_with(in, {"run", "g.json", "--from", "a", "--data", "new"});
  CHECK(none.code == 3);
  CHECK(has(none.err, "error[E0009]"));
  CHECK_FALSE(fs::exists(in.path() / "new"));
}

TEST_CASE("render draws DOT and SVG", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"vertices": [{"id": "a", "kind": "noop"}, {"id": "b", "kind": "noop"}],
                         "edges": [{"from": "a", "to": "b"}]})");
  auto dot = troupe_with(in, {"graphs", "render", "g.json", "--format", "dot"});
  CHECK(dot.code == 0);
  CHECK(dot.out.starts_with("digraph"));
  CHECK(has(dot.out, "\"a\" -> \"b\""));
  auto svg = troupe_with(in, {"graphs", "render", "g.json", "--format", "svg"});
  CHECK(svg.code == 0);
  CHECK(svg.out.starts_with("<svg xmlns="));
  CHECK(troupe_with(in, {"graphs", "render", "g.json", "--format", "png"}).code == 2);
}

TEST_CASE("recorded workflows are imported and run to their end", "[e2e]") {
  scratch in;
  std::size_t found = 0;
  for (auto& file : fs::directory_iterator{instances}) {
    INFO(file.path());
    auto imported = troupe_with(
        in, {"graphs", "import", "--from", "wfformat", file.path().string(), "--output", "g.json"});
    CHECK(imported.code == 0);
    CHECK(imported.out == "");
    auto ran = troupe_with(in, {"run", "g.json", "-o", "json"});
    CHECK(ran.code == 0);
    auto job = json_of(ran.out);
    CHECK(text_at(job, "state") == "completed");
    CHECK(*job.find("progress")->find("succeeded") == *job.find("progress")->find("vertices"));
    ++found;
  }
  CHECK(found == 3);
}

TEST_CASE("a flow is imported, one with a loop is refused by name", "[e2e]") {
  scratch in;
  in.write("chat.json", tests::chat_flow());
  auto imported = troupe_with(
      in, {"graphs", "import", "--from", "langflow", "chat.json", "--output", "g.json"});
  CHECK(imported.code == 0);
  CHECK(troupe_with(in, {"graphs", "validate", "g.json"}).code == 0);
  auto loop =
      std::string{TROUPE_SOURCE_DIR} + "/examples/data/langflow/research_translation_loop.json";
  auto refused = troupe_with(in, {"graphs", "import", "--from", "langflow", loop});
  CHECK(refused.code == 1);
  CHECK(has(refused.err, "LoopComponent-GV15E"));
}

TEST_CASE("a speed-up is a number above 0", "[e2e]") {
  scratch in;
  for (auto text : {"0", "-1", "abc", "inf", "nan", "1x"}) {
    auto refused =
        troupe_with(in, {"graphs", "import", "--from", "wfformat", "--replay", text, "w.json"});
    CHECK(refused.code == 2);
    CHECK(has(refused.err,
              "error[E0001]: --replay: `" + std::string{text} + "` is not a number above 0\n"));
  }
}

TEST_CASE("a replayed workflow never runs more at once than it may", "[e2e]") {
  scratch in;
  auto graph = troupe_with(in, {"graphs", "import", "--from", "wfformat", "--replay", "10000",
                                (instances / "montage-chameleon-2mass-05d-001.json").string()});
  REQUIRE(graph.code == 0);
  auto ran = troupe_with(in, {"run", "-", "--max-parallel", "7", "-o", "ndjson"}, graph.out);
  INFO(ran.err);
  CHECK(ran.code == 0);
  auto events = lines_of(ran.out);
  CHECK(gapless(events));
  CHECK(count(events, "end_vertex") == 1738);
  CHECK(most_at_once(events) == 7);
}
