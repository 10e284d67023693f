#include "graph_json/wfformat.hpp"
#include "tests/support/catch.hpp"

#include <fstream>
#include <set>
#include <sstream>

using namespace troupe;
using namespace troupe::graph_json;

namespace {

std::string sample(const char* name) {
  std::ifstream in(std::string{TROUPE_SOURCE_DIR} + "/examples/data/wfinstances/" + name);
  REQUIRE(in);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// A document with these tasks and recorded runs.
std::string document(const std::string& tasks, const std::string& runs = "") {
  return R"({"name": "w f", "schemaVersion": "1.5", "workflow": {"specification": {"tasks": [)"
         + tasks + R"(]}, "execution": {"tasks": [)" + runs + "]}}}";
}

std::vector<std::string> faults(std::string_view text, wf_options options = {}) {
  std::vector<std::string> all;
  for (auto& p : import_wfformat(text, options).errors)
    all.push_back(p.code + " " + p.pointer);
  return all;
}

using texts = std::vector<std::string>;

texts edges_of(const graph_spec& graph) {
  texts all;
  for (auto& e : graph.edges)
    all.push_back(e.from + ">" + e.to);
  return all;
}

const std::string tasks_at = "/workflow/specification/tasks/";

} // namespace

TEST_CASE("recorded workflows become graphs of all their tasks and edges", "[graph_json]") {
  struct row {
    const char* file;
    const char* name;
    std::size_t tasks, edges;
  };
  auto [file, name, tasks, edges] = GENERATE(values<row>({
      {"blast-chameleon-small-001.json", "makeflow-blast-small", 43, 120},
      {"1000genome-chameleon-14ch-250k-001.json", "1000genome-20200402T190132Z-0", 574, 742},
      {"montage-chameleon-2mass-05d-001.json", "montage-0", 1738, 4698},
  }));
  CAPTURE(file);
  auto parsed = import_wfformat(sample(file), {});
  CHECK(parsed.errors.empty());
  CHECK(parsed.spec.name == name);
  REQUIRE(parsed.spec.vertices.size() == tasks);
  REQUIRE(parsed.spec.edges.size() == edges);
  std::set<std::string> ids;
  for (auto& v : parsed.spec.vertices) {
    CHECK(v.kind == "noop");
    CHECK(v.inputs == std::map<std::string, arity>{{"in", arity::many}});
    ids.insert(v.id);
  }
  CHECK(ids.size() == tasks);
  for (auto& e : parsed.spec.edges)
    CHECK((ids.contains(e.from) && ids.contains(e.to)));
  auto again = parse_graph(canonical_json(parsed.spec));
  CHECK(again.errors.empty());
  CHECK((again.spec == parsed.spec));
}

TEST_CASE("a replay waits for the recorded run times", "[graph_json]") {
  auto parsed =
      import_wfformat(sample("montage-chameleon-2mass-05d-001.json"), {.replay_speedup = 10});
  REQUIRE(parsed.errors.empty());
  auto& first = parsed.spec.vertices.at(0);
  CHECK(first.id == "mProject_ID0000001");
  CHECK(first.kind == "delay");
  CHECK(first.config == value{value::object{{"for", "2719ms"}, {"hold", true}}}); // 27.194 s
}

TEST_CASE("a task without a recorded run takes no time, one beyond all bounds the longest",
          "[graph_json]") {
  auto text = document(R"({"id": "a"}, {"id": "b"}, {"id": "c"})",
                       R"({"id": "b"}, {"id": "c", "runtimeInSeconds": 1e300}, {"id": "else"})");
  auto parsed = import_wfformat(text, {.replay_speedup = 0.5});
  REQUIRE(parsed.errors.empty());
  CHECK(*parsed.spec.vertices[0].config.find("for") == value{"0ms"});
  CHECK(*parsed.spec.vertices[1].config.find("for") == value{"0ms"});
  CHECK(*parsed.spec.vertices[2].config.find("for") == value{"3153600000000ms"});
}

TEST_CASE("a speed-up is a number above 0", "[graph_json]") {
  auto speedup = GENERATE(0.0, -1.0, std::numeric_limits<double>::infinity(),
                          std::numeric_limits<double>::quiet_NaN());
  CHECK(faults(document(R"({"id": "a"})"), {speedup}) == texts{"out_of_range "});
}

TEST_CASE("edges come from parents and children, each once, in the order of the file",
          "[graph_json]") {
  auto parsed = import_wfformat(document(R"(
    {"id": "c", "parents": ["b", "a", "b"], "children": []},
    {"id": "d", "parents": [], "children": ["c", "c"]},
    {"id": "a", "parents": [], "children": ["b", "c"]},
    {"id": "b", "parents": ["a"]})"),
                                {});
  CHECK(parsed.errors.empty());
  CHECK(edges_of(parsed.spec) == texts{"b>c", "a>c", "d>c", "a>b"});
}

TEST_CASE("ids that are no names are replaced, each by a name of its own", "[graph_json]") {
  auto wide = std::string(130, 'x');
  auto parsed = import_wfformat(
      document(R"({"id": "a b", "children": ["a/b", "a_b", ")" + wide + R"("]}, {"id": "a/b"},
                  {"id": "a_b"}, {"id": ""}, {"id": ")"
               + wide + R"("}, {"id": ")" + wide + R"(y"}, {"id": "a_b_2"})"),
      {});
  CHECK(parsed.errors.empty());
  texts ids;
  for (auto& v : parsed.spec.vertices)
    ids.push_back(v.id);
  CHECK(ids
        == texts{"a_b_3", "a_b_4", "a_b", "_", std::string(128, 'x'), std::string(126, 'x') + "_2",
                 "a_b_2"});
  CHECK(edges_of(parsed.spec)
        == texts{"a_b_3>a_b_4", "a_b_3>a_b", "a_b_3>" + std::string(128, 'x')});
  CHECK(parsed.spec.name == "w_f");
  CHECK(parse_graph(canonical_json(parsed.spec)).errors.empty());
}

TEST_CASE("tasks that contradict each other are problems", "[graph_json]") {
  CHECK(faults(document(R"({"id": "a", "parents": ["x"], "children": ["b", "y"]}, {"id": "b"},
                           {"id": "a"}, {"id": "c", "parents": ["b", "c"]})"))
        == texts{"duplicate_task " + tasks_at + "2/id", "unknown_task " + tasks_at + "0/parents/0",
                 "self_edge " + tasks_at + "3/parents/1",
                 "unknown_task " + tasks_at + "0/children/1"});
}

TEST_CASE("tasks of the wrong shape are problems", "[graph_json]") {
  CHECK(faults(document(R"(1, {"name": "a"}, {"id": 2}, {"id": "b", "parents": "a"},
                           {"id": "c", "children": ["b", 3]}, {"id": "d", "id": "e"})"))
        == texts{"wrong_type " + tasks_at + "0", "missing_key " + tasks_at + "1",
                 "wrong_type " + tasks_at + "2/id", "wrong_type " + tasks_at + "3/parents",
                 "wrong_type " + tasks_at + "4/children/1", "duplicate_key " + tasks_at + "5",
                 "unknown_task " + tasks_at + "4/children/1"});
  auto runs = document(R"({"id": "a"})", R"(1, {"id": "a", "runtimeInSeconds": "1"},
                       {"id": "a", "runtimeInSeconds": -1})");
  std::string runs_at = "/workflow/execution/tasks/";
  CHECK(faults(runs).empty());
  CHECK(faults(runs, {1.0})
        == texts{"wrong_type " + runs_at + "0", "wrong_type " + runs_at + "1/runtimeInSeconds",
                 "out_of_range " + runs_at + "2/runtimeInSeconds"});
}

TEST_CASE("other documents are refused as a whole", "[graph_json]") {
  CHECK(faults("{") == texts{"syntax "});
  CHECK(faults("[]") == texts{"not_wfformat "});
  CHECK(faults(R"({"vertices": []})") == texts{"not_wfformat "});
  CHECK(faults(R"({"schemaVersion": "1.4", "workflow": {"tasks": []}})")
        == texts{"unsupported_version /schemaVersion"});
  CHECK(faults(R"({"schemaVersion": 1.5})") == texts{"unsupported_version /schemaVersion"});
  CHECK(faults(R"({"schemaVersion": "1.5", "workflow": {"tasks": []}})") == texts{"not_wfformat "});
  // The version may stand last.
  CHECK(
      faults(R"({"workflow": {"specification": {"tasks": [{"id": "a"}]}}, "schemaVersion": "1.5"})")
          .empty());
}
