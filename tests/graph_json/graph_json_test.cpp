#include "graph_json/graph_json.hpp"

#include "graph_json/value_json.hpp"
#include "tests/graph_json/random_values.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

#include <openssl/evp.h>

using namespace troupe;
using namespace troupe::graph_json;
using namespace std::chrono_literals;

namespace {

graph_spec read(std::string_view text) {
  auto parsed = parse_graph(text);
  INFO(text);
  for (auto& p : parsed.errors)
    UNSCOPED_INFO(p.code << " " << p.pointer << ": " << p.detail);
  REQUIRE(parsed.errors.empty());
  return parsed.spec;
}

/// `code pointer` of every problem.
std::vector<std::string> faults(std::string_view text) {
  std::vector<std::string> all;
  for (auto& p : parse_graph(text).errors)
    all.push_back(p.code + " " + p.pointer);
  return all;
}

using texts = std::vector<std::string>;

/// The problems of a graph with one vertex that has these members, too.
texts vertex_faults(const std::string& members) {
  return faults(R"({"vertices": [{"id": "a", "kind": "noop", )" + members + "}]}");
}

texts edge_faults(const std::string& members) {
  return faults(R"({"vertices": [], "edges": [{"from": "a", "to": "b", )" + members + "}]}");
}

} // namespace

TEST_CASE("every key of a graph is read", "[graph_json]") {
  auto g = read(R"({
    "name": "full",
    "vertices": [{"id": "a", "kind": "exec", "config": {"argv": ["date"], "n": 1.0},
      "inputs": {"in": "many", "x": "one"}, "join": {"n": 2}, "on_error": "continue",
      "retry": {"max_attempts": 3, "base": "250ms", "factor": 1.5, "cap": "PT1M", "jitter": "none",
                "on": ["timeout"]},
      "timeouts": {"soft": "1.5h", "hard": "1d"}, "pure": true}],
    "edges": [{"from": "a", "to": "b", "from_port": "error", "to_port": "x", "when": {"eq": 1}}],
    "result": "a"})");
  vertex_spec v;
  v.id = "a";
  v.kind = "exec";
  v.config = value::object{{"argv", value::list{"date"}}, {"n", 1}};
  v.inputs = {{"in", arity::many}, {"x", arity::one}};
  v.join = {join_policy::n, 2};
  v.on_error = on_error_policy::continue_on;
  v.retry = {3, 250ms, 1.5, 60s, false, false, true};
  v.timeouts = {90min, 24h};
  v.pure = true;
  edge_spec e{"a", "b", "error", "x", value{value::object{{"eq", 1}}}};
  CHECK(g == graph_spec{"full", {v}, {e}, {"a"}, true});
}

TEST_CASE("a graph has defaults", "[graph_json]") {
  auto g =
      read(R"({"vertices": [{"id": "a", "kind": "noop"}], "edges": [{"from": "a", "to": "a"}]})");
  vertex_spec v;
  v.id = "a";
  v.kind = "noop";
  CHECK(g.vertices == std::vector{v});
  CHECK(g.edges == std::vector{edge_spec{"a", "a", "out", "in", {}}});
  CHECK(g.result.empty());
}

TEST_CASE("all words for joins, errors and results are read", "[graph_json]") {
  auto with = [](std::string member) {
    return read(R"({"vertices": [{"id": "a", "kind": "k", )" + member + "}]}").vertices.at(0);
  };
  CHECK(with(R"("join": "all")").join.policy == join_policy::all);
  CHECK(with(R"("join": "any")").join.policy == join_policy::any);
  CHECK(with(R"("join": "quorum")").join.policy == join_policy::quorum);
  CHECK(with(R"("join": "ignore_failed")").join.policy == join_policy::ignore_failed);
  CHECK(with(R"("on_error": "fail_job")").on_error == on_error_policy::fail_job);
  CHECK(with(R"("on_error": "route")").on_error == on_error_policy::route);
  CHECK(with(R"("retry": {"max_attempts": 3.0})").retry.max_attempts == 3);
  auto list = read(R"({"vertices": [], "result": ["a"]})");
  CHECK(list.result == texts{"a"});
  CHECK_FALSE(list.result_is_single);
}

TEST_CASE("every problem of a graph is told with its place", "[graph_json]") {
  CHECK(faults(R"({"nmae": "x", "vertices": [{"id": "a b", "knid": "noop"}, 7], "edges": {},
                   "result": [], "name": 1})")
        == texts{"unknown_key /nmae", "bad_name /vertices/0/id", "unknown_key /vertices/0/knid",
                 "missing_key /vertices/0", "wrong_type /vertices/1", "wrong_type /edges",
                 "out_of_range /result", "wrong_type /name"});
}

TEST_CASE("the shape of a graph is checked", "[graph_json]") {
  CHECK(faults("[]") == texts{"wrong_type "});
  CHECK(faults("3") == texts{"wrong_type "});
  CHECK(faults("{}") == texts{"missing_key "});
  CHECK(faults(R"({"vertices": {"a": 1}})") == texts{"wrong_type /vertices"});
  CHECK(faults(R"({"vertices": null})") == texts{"wrong_type /vertices"});
  CHECK(faults(R"({"vertices": [], "edges": "x"})") == texts{"wrong_type /edges"});
  CHECK(faults(R"({"vertices": [], "result": 3})") == texts{"wrong_type /result"});
  CHECK(faults(R"({"vertices": [], "result": ["a", 3, "b c"]})")
        == texts{"wrong_type /result/1", "bad_name /result/2"});
  CHECK(faults(R"({"vertices": [], "result": ""})") == texts{"bad_name /result"});
  CHECK(faults(R"({"vertices": [], "a/b~c": 1})") == texts{"unknown_key /a~1b~0c"});
  CHECK(faults(R"({"vertices": [{"kind": "noop"}, {}]})")
        == texts{"missing_key /vertices/0", "missing_key /vertices/1", "missing_key /vertices/1"});
}

TEST_CASE("the members of a vertex are checked", "[graph_json]") {
  CHECK(vertex_faults(R"("config": [])") == texts{"wrong_type /vertices/0/config"});
  CHECK(vertex_faults(R"("inputs": "one")") == texts{"wrong_type /vertices/0/inputs"});
  CHECK(vertex_faults(R"("inputs": {"in": "two", "b c": "one", "job": "one", "x": 1})")
        == texts{"bad_name /vertices/0/inputs/b c", "bad_value /vertices/0/inputs/in",
                 "reserved_name /vertices/0/inputs/job", "wrong_type /vertices/0/inputs/x"});
  CHECK(vertex_faults(R"("join": "none")") == texts{"bad_value /vertices/0/join"});
  CHECK(vertex_faults(R"("join": 2)") == texts{"wrong_type /vertices/0/join"});
  CHECK(vertex_faults(R"("join": {})") == texts{"missing_key /vertices/0/join"});
  CHECK(vertex_faults(R"("join": {"n": 0, "k": 1})")
        == texts{"unknown_key /vertices/0/join/k", "out_of_range /vertices/0/join/n"});
  CHECK(vertex_faults(R"("join": {"n": 1.5})") == texts{"out_of_range /vertices/0/join/n"});
  CHECK(vertex_faults(R"("join": {"n": "1"})") == texts{"wrong_type /vertices/0/join/n"});
  CHECK(vertex_faults(R"("join": {"n": 8000001})") == texts{"out_of_range /vertices/0/join/n"});
  CHECK(vertex_faults(R"("on_error": "fail")") == texts{"bad_value /vertices/0/on_error"});
  CHECK(vertex_faults(R"("pure": 1)") == texts{"wrong_type /vertices/0/pure"});
  CHECK(vertex_faults(R"("timeouts": {"soft": "-1s", "hard": 10, "total": "1s"})")
        == texts{"wrong_type /vertices/0/timeouts/hard", "bad_duration /vertices/0/timeouts/soft",
                 "unknown_key /vertices/0/timeouts/total"});
}

TEST_CASE("the members of a retry are checked", "[graph_json]") {
  auto of = [](std::string members) { return vertex_faults("\"retry\": {" + members + "}"); };
  std::string at = "/vertices/0/retry/";
  CHECK(vertex_faults(R"("retry": 3)") == texts{"wrong_type /vertices/0/retry"});
  CHECK(of(R"("max_attempts": 0)") == texts{"out_of_range " + at + "max_attempts"});
  CHECK(of(R"("max_attempts": 1001)") == texts{"out_of_range " + at + "max_attempts"});
  CHECK(of(R"("max_attempts": 1000)").empty());
  CHECK(of(R"("factor": 0.5)") == texts{"out_of_range " + at + "factor"});
  CHECK(of(R"("factor": "2")") == texts{"wrong_type " + at + "factor"});
  CHECK(of(R"("base": "soon", "cap": 1)")
        == texts{"bad_duration " + at + "base", "wrong_type " + at + "cap"});
  CHECK(of(R"("jitter": "half")") == texts{"bad_value " + at + "jitter"});
  CHECK(of(R"("on": "error")") == texts{"wrong_type " + at + "on"});
  CHECK(of(R"("on": ["eror"])") == texts{"bad_value " + at + "on/0"});
  CHECK(of(R"("on": ["error", "error"])")
        == texts{"duplicate_item " + at + "on/0", "duplicate_item " + at + "on/1"});
  CHECK(of(R"("on": ["error", "timeout", "error"])") == texts{"too_many " + at + "on"});
  CHECK(of(R"("on": [])").empty());
}

TEST_CASE("the members of an edge are checked", "[graph_json]") {
  CHECK(faults(R"({"vertices": [], "edges": [{"from": "a"}, [], {"from": 1, "to": ""}]})")
        == texts{"missing_key /edges/0", "wrong_type /edges/1", "wrong_type /edges/2/from",
                 "bad_name /edges/2/to"});
  CHECK(edge_faults(R"("to_port": "job")") == texts{"reserved_name /edges/0/to_port"});
  CHECK(edge_faults(R"("from_port": "")") == texts{"bad_name /edges/0/from_port"});
  CHECK(edge_faults(R"("when": null)").empty());
}

TEST_CASE("keys that are not there yet are unknown", "[graph_json]") {
  auto key =
      GENERATE(as<std::string>{}, "queue", "limits", "lock", "cache", "freeze", "supervision");
  CHECK(vertex_faults('"' + key + "\": null") == texts{"unknown_key /vertices/0/" + key});
  CHECK(edge_faults(R"("feedback": {"max": 3})") == texts{"unknown_key /edges/0/feedback"});
  CHECK(faults(R"({"vertices": [], "on_failure": 1, "finally": 1})")
        == texts{"unknown_key /on_failure", "unknown_key /finally"});
}

TEST_CASE("an unknown key is told what it may have meant", "[graph_json]") {
  auto errors = parse_graph(R"({"vertices": [{"id": "a", "kind": "noop", "retri": {}}]})").errors;
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].detail
        == "unknown key `retri`; allowed: `id`, `kind`, `config`, `inputs`, `join`, `on_error`, "
           "`retry`, `timeouts`, `pure`; did you mean `retry`?");
}

TEST_CASE("names are of 1 to 128 characters of a small set", "[graph_json]") {
  auto of = [](const std::string& id) {
    return faults(R"({"vertices": [{"id": ")" + id + R"(", "kind": "noop"}]})");
  };
  CHECK(of("aZ09_.:-").empty());
  CHECK(of(std::string(128, 'x')).empty());
  CHECK(of(std::string(129, 'x')) == texts{"bad_name /vertices/0/id"});
  CHECK(of("") == texts{"bad_name /vertices/0/id"});
  CHECK(of("a/b") == texts{"bad_name /vertices/0/id"});
  CHECK(of("\xc3\xa9") == texts{"bad_name /vertices/0/id"});
}

TEST_CASE("a key that stands twice is a problem of its object, the first one counts",
          "[graph_json]") {
  auto parsed = parse_graph(R"({"vertices": [{"id": "a", "kind": "noop", "id": "b",
    "config": {"x": [{"y": 1, "y": 2}]}}], "name": "n", "name": "m", "vertices": [1, 2]})");
  texts all;
  for (auto& p : parsed.errors)
    all.push_back(p.code + " " + p.pointer);
  CHECK(all
        == texts{"duplicate_key /vertices/0", "duplicate_key /vertices/0/config/x/0",
                 "duplicate_key ", "duplicate_key "});
  CHECK(parsed.spec.vertices.at(0).id == "a");
  CHECK(parsed.spec.name == "n");
}

TEST_CASE("a syntax error stands alone, with its place", "[graph_json]") {
  auto errors = parse_graph("{\"nmae\": 1,\n \"vertices\": [{]}").errors;
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].code == "syntax");
  CHECK(errors[0].pointer.empty());
  CHECK(errors[0].detail.starts_with("line 2, column 16 (byte 27): "));
  CHECK(faults("") == texts{"syntax "});
  CHECK(faults("{\"vertices\": []} x") == texts{"syntax "});
}

namespace {

/// `levels` lists in each other.
value nested(std::size_t levels) {
  value x = value::list{};
  for (std::size_t i = 1; i < levels; ++i)
    x = value::list{std::move(x)};
  return x;
}

} // namespace

TEST_CASE("a config and a condition are as deep as a value may be, wherever they stand",
          "[graph_json]") {
  graph_spec deep;
  deep.vertices.resize(2);
  deep.vertices[0].id = "a";
  deep.vertices[1].id = "b";
  for (auto& v : deep.vertices)
    v.kind = "noop";
  deep.vertices[0].config = value::object{{"output", nested(limits::value_depth_max - 1)}};
  deep.edges.push_back({"a", "b"});
  deep.edges[0].when = value::object{{"eq", nested(limits::value_depth_max - 1)}};
  auto text = canonical_json(deep);
  CHECK(read(text) == deep);
  auto in_request = parse_members("{\"graph\":" + text + "}", "graph");
  CHECK(in_request.errors.empty());
  CHECK(in_request.graph == deep);
}

TEST_CASE("what is nested too deep is told with its place", "[graph_json]") {
  graph_spec deep;
  deep.vertices.resize(1);
  deep.vertices[0].id = "a";
  deep.vertices[0].kind = "noop";
  deep.vertices[0].config = value::object{{"output", nested(limits::value_depth_max)}};
  std::string lists;
  for (std::size_t i = 1; i < limits::value_depth_max; ++i)
    lists += "/0";
  CHECK(faults(canonical_json(deep)) == texts{"too_deep /vertices/0/config/output" + lists});
  auto open = faults("{\"vertices\": [" + std::string(100, '['));
  REQUIRE(open.size() == 1);
  CHECK(open.front().starts_with("too_deep /vertices/0/0/"));
}

TEST_CASE("problems have a limit and the rest is counted", "[graph_json]") {
  std::string text = R"({"vertices": [)";
  for (int i = 0; i < 250; ++i)
    text += i ? ",1" : "1";
  auto errors = parse_graph(text + "]}").errors;
  REQUIRE(errors.size() == limits::graph_problems_max + 1);
  CHECK(errors[99].pointer == "/vertices/99");
  CHECK(errors.back() == problem{"more_problems", "", "150 more problems"});
}

TEST_CASE("vertices and edges beyond the limit are counted, not kept", "[graph_json]") {
  auto parsed = parse_graph(R"({"vertices": [{"id": "a", "kind": "k"}, {"id": "b", "kind": "k"}, 3],
    "edges": [{"from": "a", "to": "b"}, {"from": "a", "to": "b"}, {}, {}]})",
                            {.vertices_max = 2, .edges_max = 1});
  CHECK(parsed.spec.vertices.size() == 2);
  CHECK(parsed.spec.edges.size() == 1);
  CHECK(parsed.errors
        == problems{{"too_many", "/vertices", "3; at most 2"},
                    {"too_many", "/edges", "4; at most 1"}});
}

TEST_CASE("a graph is read back from its canonical text", "[graph_json]") {
  auto seed = std::random_device{}();
  CAPTURE(seed);
  tests::random_values random{seed};
  random.numbers_are_normal = true;
  for (int i = 0; i < 1000; ++i) {
    auto g = random.graph();
    auto text = canonical_json(g);
    CAPTURE(text);
    REQUIRE(text == canonical(to_value(g)));
    REQUIRE(read(text) == g);
    REQUIRE(read(to_json_pretty(to_value(g))) == g);
  }
}

TEST_CASE("how a graph is written does not change its canonical text", "[graph_json]") {
  auto terse = read(R"({"vertices": [{"id": "a", "kind": "delay", "config": {"x": 1, "y": 1e3},
    "retry": {"max_attempts": 2, "base": "90s"}}], "name": "g"})");
  auto wordy = read(R"({"name": "g", "edges": [], "vertices": [{"kind": "delay", "id": "a",
    "inputs": {"in": "one"}, "join": "all", "on_error": "fail_job",
    "retry": {"jitter": "full", "factor": 2.0, "cap": "PT60S", "on": ["timeout", "error"],
              "base": "1.5m", "max_attempts": 2},
    "timeouts": {"soft": "0s"}, "config": {"y": 1000, "x": 1.0}}]})");
  CHECK(terse == wordy);
  CHECK(canonical_json(terse) == canonical_json(wordy));
  CHECK(canonical_json(terse)
        == R"({"name":"g","vertices":[{"config":{"x":1,"y":1000},"id":"a","kind":"delay",)"
           R"("retry":{"base":"90s","max_attempts":2}}]})");
  CHECK(id_of(terse) == id_of(wordy));
}

TEST_CASE("the id of a graph is the SHA-256 of its canonical text", "[graph_json]") {
  CHECK(canonical_json({}) == R"({"vertices":[]})");
  // echo -n '{"vertices":[]}' | sha256sum
  CHECK(to_string(id_of({})) == "03ee4f7c2fcbd324f9f708a03e51447b12d98df22a1be2e2793a58c4e0aab793");
  graph_spec g;
  for (int i = 0; i < 5000; ++i) { // More than one piece.
    auto& v = g.vertices.emplace_back();
    v.id = "v" + std::to_string(i);
    v.kind = "noop";
    g.edges.push_back({v.id, v.id, "out", "in", {}});
  }
  auto text = canonical_json(g);
  graph_id wanted;
  REQUIRE(EVP_Digest(text.data(), text.size(), wanted.sha256.data(), nullptr, EVP_sha256(), nullptr)
          == 1);
  CHECK(id_of(g) == wanted);
  g.vertices.back().kind = "delay";
  CHECK(id_of(g) != wanted);
}

TEST_CASE("large integers in a config make different graphs", "[graph_json]") {
  auto with = [](const char* x) {
    return id_of(read(R"({"vertices": [{"id": "a", "kind": "k", "config": {"x": )" + std::string{x}
                      + "}}]}"));
  };
  CHECK(with("9007199254740992") != with("9007199254740993"));
}
