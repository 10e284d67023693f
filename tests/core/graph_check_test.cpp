#include "core/graph.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <set>

using namespace troupe;
using namespace troupe::core;
using namespace std::chrono_literals;
using object = value::object;

namespace {

vertex_spec noop(std::string id) {
  vertex_spec x;
  x.id = std::move(id);
  x.kind = "noop";
  return x;
}

edge_spec link_of(std::string from, std::string to) { return {from, to, "out", "in", {}}; }

/// a -> b -> c, nothing wrong.
graph_spec chain() {
  return {
      "chain", {noop("a"), noop("b"), noop("c")}, {link_of("a", "b"), link_of("b", "c")}, {}, {}};
}

problems checked(const graph_spec& spec) { return check(spec, builtin_kinds()); }

using wrong = std::vector<std::pair<std::string, std::string>>;

wrong faults(const graph_spec& spec) {
  wrong found;
  for (auto& x : checked(spec)) {
    CHECK_FALSE(x.detail.empty());
    found.emplace_back(x.code, x.pointer);
  }
  return found;
}

struct sample {
  std::function<void(graph_spec&)> spoil;
  wrong expected;
};

vertex_spec jq(std::size_t v) {
  auto x = noop("v" + std::to_string(v));
  x.kind = "jq";
  x.config["program"] = ". + " + std::to_string(v);
  return x;
}

value nested(std::size_t levels) {
  value made = 1;
  while (levels-- > 0)
    made = value::list{std::move(made)};
  return made;
}

} // namespace

TEST_CASE("a graph without a fault has no problems", "[core]") {
  CHECK(faults(chain()).empty());
  auto rich = chain();
  rich.vertices[0].on_error = on_error_policy::route;
  rich.vertices[1].join = {join_policy::n, 2};
  rich.vertices[1].inputs = {{"in", arity::many}, {"bad", arity::one}};
  rich.vertices[1].retry = {3, 1s, 1, 1s, true, true, true};
  rich.vertices[1].timeouts = {1s, 2s};
  rich.vertices[2].timeouts = {1s, 0s};
  rich.edges.push_back({"a", "b", "error", "bad", {}});
  rich.edges.push_back({"a", "b", "out", "in", object{{"eq", 1}}});
  rich.edges.push_back({"a", "b", "out", "in", object{{"eq", 2}}});
  rich.result = {"c", "a"};
  CHECK(faults(rich).empty());
  rich.result = {"b"};
  rich.result_is_single = true;
  CHECK(faults(rich).empty());
}

TEST_CASE("every fault of a graph is named with its place", "[core]") {
  using g = graph_spec&;
  const sample samples[] = {
      {[](g x) { x = {}; }, {{"no_vertices", "/vertices"}}},
      {[](g x) { x.name = std::string(129, 'x'); }, {{"bad_name", "/name"}}},
      {[](g x) { x.name = "a\nb"; }, {{"bad_name", "/name"}}},
      {[](g x) { x.name.clear(); }, {}},
      {[](g x) { x.vertices[1].kind = "nop"; }, {{"unknown_kind", "/vertices/1/kind"}}},
      {[](g x) { x.vertices[2].config["x/y"] = 1; }, {{"unknown_key", "/vertices/2/config/x~1y"}}},
      {[](g x) { x.vertices[2].config["output"] = nested(limits::value_depth_max); },
       {{"too_deep", "/vertices/2/config"}}},
      {[](g x) { x.vertices[2].config["output"] = nested(limits::value_depth_max - 1); }, {}},
      {[](g x) { x.vertices.push_back(noop("")); }, {{"bad_name", "/vertices/3/id"}}},
      {[](g x) { x.vertices.push_back(noop("a b")); }, {{"bad_name", "/vertices/3/id"}}},
      {[](g x) { x.vertices.push_back(noop("b")); }, {{"duplicate_id", "/vertices/3/id"}}},
      {[](g x) {
         x.vertices[0].inputs = {{"job", {}}};
       },
       {{"reserved_name", "/vertices/0/inputs/job"}}},
      {[](g x) {
         x.vertices[0].inputs = {{"a/b", {}}};
       },
       {{"bad_name", "/vertices/0/inputs/a~1b"}}},
      {[](g x) {
         for (std::size_t i = 0; i <= limits::vertex_ports_max; ++i)
           x.vertices[0].inputs.emplace("p" + std::to_string(i), arity::one);
       },
       {{"too_many", "/vertices/0/inputs"}}},
      {[](g x) { x.edges.push_back(link_of("a", "d")); }, {{"unknown_vertex", "/edges/2/to"}}},
      {[](g x) { x.edges.push_back(link_of("d", "e")); },
       {{"unknown_vertex", "/edges/2/from"}, {"unknown_vertex", "/edges/2/to"}}},
      {[](g x) { x.edges[1].to_port = "on"; }, {{"unknown_port", "/edges/1/to_port"}}},
      {[](g x) { x.edges[1].to_port = "job"; }, {{"unknown_port", "/edges/1/to_port"}}},
      {[](g x) { x.vertices[2].inputs.clear(); }, {{"unknown_port", "/edges/1/to_port"}}},
      {[](g x) { x.edges[1].from_port = "ouy"; }, {{"unknown_port", "/edges/1/from_port"}}},
      {[](g x) { x.edges[1].from_port = "error"; }, {{"unknown_port", "/edges/1/from_port"}}},
      {[](g x) {
         x.edges[1].when = object{{"equals", 1}};
       },
       {{"unknown_operator", "/edges/1/when/equals"}}},
      {[](g x) {
         x.edges[1].when = object{{"eq", nested(limits::value_depth_max)}};
       },
       {{"too_deep", "/edges/1/when"}}},
      {[](g x) { x.edges.push_back(x.edges[0]); }, {{"duplicate_edge", "/edges/2"}}},
      {[](g x) {
         x.edges[0].when = object{{"eq", 1}};
         x.edges.insert(x.edges.end(), {x.edges[0], x.edges[1], x.edges[0]});
       },
       {{"duplicate_edge", "/edges/2"},
        {"duplicate_edge", "/edges/3"},
        {"duplicate_edge", "/edges/4"}}},
      {[](g x) {
         x.vertices[1].join = {join_policy::n, 0};
       },
       {{"out_of_range", "/vertices/1/join/n"}}},
      {[](g x) {
         x.vertices[1].join = {join_policy::n, 2};
       },
       {{"out_of_range", "/vertices/1/join/n"}}},
      {[](g x) {
         x.vertices[0].join = {join_policy::n, 1};
       },
       {{"out_of_range", "/vertices/0/join/n"}}},
      {[](g x) { x.vertices[0].retry.max_attempts = 0; },
       {{"out_of_range", "/vertices/0/retry/max_attempts"}}},
      {[](g x) { x.vertices[0].retry.max_attempts = limits::attempts_max + 1; },
       {{"out_of_range", "/vertices/0/retry/max_attempts"}}},
      {[](g x) { x.vertices[0].retry.factor = 0.5; },
       {{"out_of_range", "/vertices/0/retry/factor"}}},
      {[](g x) { x.vertices[0].retry.factor = std::numeric_limits<double>::quiet_NaN(); },
       {{"out_of_range", "/vertices/0/retry/factor"}}},
      {[](g x) { x.vertices[0].retry.base = -1ms; }, {{"out_of_range", "/vertices/0/retry/base"}}},
      {[](g x) { x.vertices[0].retry.base = 61s; }, {{"out_of_range", "/vertices/0/retry/cap"}}},
      {[](g x) { x.vertices[0].retry.cap = limits::duration_max + 1ms; },
       {{"out_of_range", "/vertices/0/retry/cap"}}},
      {[](g x) {
         x.vertices[0].timeouts = {2s, 2s};
       },
       {{"out_of_range", "/vertices/0/timeouts/hard"}}},
      {[](g x) {
         x.vertices[0].timeouts = {-1s, -2s};
       },
       {{"out_of_range", "/vertices/0/timeouts/soft"},
        {"out_of_range", "/vertices/0/timeouts/hard"}}},
      {[](g x) {
         x.result = {"a", "z", "a"};
       },
       {{"unknown_vertex", "/result/1"}, {"duplicate_result", "/result/2"}}},
      {[](g x) {
         x.result = {"z"};
         x.result_is_single = true;
       },
       {{"unknown_vertex", "/result"}}},
      {[](g x) { x.result_is_single = true; }, {{"out_of_range", "/result"}}},
      {[](g x) { x.edges.push_back(link_of("c", "a")); }, {{"cycle", "/edges/2"}}},
      {[](g x) { x.edges.push_back(link_of("b", "b")); }, {{"cycle", "/edges/2"}}},
  };
  for (auto& [spoil, expected] : samples) {
    auto spec = chain();
    spoil(spec);
    CHECK(faults(spec) == expected);
  }
}

TEST_CASE("all faults of a graph are reported at once", "[core]") {
  auto spec = chain();
  spec.vertices[0].kind = "noops";
  spec.vertices[1].config = 3;
  spec.vertices[2].retry.max_attempts = 0;
  spec.vertices.push_back(noop("a"));
  spec.edges.push_back(link_of("c", "d"));
  spec.edges.push_back(link_of("c", "b"));
  spec.result = {"x"};
  CHECK(faults(spec)
        == wrong{{"unknown_kind", "/vertices/0/kind"},
                 {"wrong_type", "/vertices/1/config"},
                 {"out_of_range", "/vertices/2/retry/max_attempts"},
                 {"duplicate_id", "/vertices/3/id"},
                 {"unknown_vertex", "/edges/2/to"},
                 {"unknown_vertex", "/result/0"},
                 {"cycle", "/edges/3"}});
}

TEST_CASE("a detail says what is known and what may have been meant", "[core]") {
  auto spec = chain();
  spec.vertices[0].id = "fetch";
  spec.vertices[1].kind = "functoin";
  spec.edges[0].from = "fecth";
  spec.edges[1].to_port = "inn";
  spec.vertices.push_back(noop("c"));
  auto found = checked(spec);
  REQUIRE(found.size() == 4);
  CHECK(found[0].detail
        == "no kind `functoin`; known are `delay`, `exec`, `function`, `jq`, `noop`, `worker`; did "
           "you mean "
           "`function`?");
  CHECK(found[1].detail == "`c` is the id of /vertices/2, too");
  CHECK(found[2].detail == "no vertex `fecth`; did you mean `fetch`?");
  CHECK(found[3].detail == "`c` has no input port `inn`; it has `in`; did you mean `in`?");
}

TEST_CASE("a cycle is named vertex by vertex, one for each that stands apart", "[core]") {
  graph_spec spec;
  for (auto id : {"z", "a", "b", "c", "d", "e", "f", "tail"})
    spec.vertices.push_back(noop(id));
  for (auto [from, to] : {std::pair{"z", "a"},
                          {"a", "b"},
                          {"b", "c"},
                          {"c", "d"},
                          {"d", "a"},
                          {"c", "a"},
                          {"d", "tail"},
                          {"e", "e"},
                          {"f", "e"},
                          {"tail", "f"}})
    spec.edges.push_back(link_of(from, to));
  auto found = checked(spec);
  REQUIRE(found.size() == 2);
  CHECK(found[0].detail
        == "a cycle: a -> b -> c -> a; take one of these edges out"); // Not the longer way over d.
  CHECK(found[0].pointer == "/edges/5");
  CHECK(found[1].detail == "a cycle: e -> e; take one of these edges out");
  CHECK(found[1].pointer == "/edges/7");
}

TEST_CASE("a long cycle is named in part", "[core]") {
  graph_spec spec;
  auto size = limits::cycle_names_max + 5;
  for (std::size_t v = 0; v < size; ++v) {
    spec.vertices.push_back(noop("v" + std::to_string(v)));
    spec.edges.push_back(link_of("v" + std::to_string(v), "v" + std::to_string((v + 1) % size)));
  }
  auto found = checked(spec);
  REQUIRE(found.size() == 1);
  CHECK(found[0].detail.starts_with("a cycle: v0 -> v1 -> "));
  CHECK(found[0].detail.ends_with("v99 -> (5 more) -> v0; take one of these edges out"));
}

TEST_CASE("jq programs are counted once each", "[core]") {
  graph_spec spec;
  for (std::size_t v = 0; v < limits::graph_jq_programs_max; ++v)
    spec.vertices.push_back(jq(v));
  spec.vertices.push_back(jq(7));
  spec.vertices.back().id = "again";
  CHECK(faults(spec).empty());
  spec.vertices.push_back(jq(limits::graph_jq_programs_max));
  spec.vertices.push_back(jq(limits::graph_jq_programs_max + 1));
  CHECK(faults(spec) == wrong{{"too_many", "/vertices/257/config/program"}});
}

TEST_CASE("beyond the limit problems are only counted", "[core]") {
  graph_spec spec;
  for (std::size_t v = 0; v < limits::graph_problems_max; ++v)
    spec.vertices.push_back(noop("a b"));
  auto found = checked(spec); // Each has a bad name, and all but one an id that is taken.
  REQUIRE(found.size() == limits::graph_problems_max + 1);
  CHECK(found.back()
        == problem{"more_problems", "",
                   std::to_string(limits::graph_problems_max - 1) + " more problems"});
  spec.vertices.resize(1);
  for (std::size_t e = 1; e < limits::graph_problems_max; ++e)
    spec.edges.push_back({"a b", "a b", "out", "in", static_cast<std::int64_t>(e)});
  CHECK(checked(spec).back().detail == "1 more problems"); // The cycle.
}

TEST_CASE("a graph beyond the limit of vertices is refused unread", "[core]") {
  graph_spec spec;
  spec.vertices.resize(limits::graph_vertices_max + 1);
  CHECK(faults(spec) == wrong{{"too_many", "/vertices"}});
}

TEST_CASE("a vertex has only so many conditions on its edges", "[core]") {
  graph_spec spec;
  for (std::size_t i = 0; i <= limits::conditions_out_max + 1; ++i)
    spec.vertices.push_back({"v" + std::to_string(i), "noop"});
  for (std::size_t i = 1; i <= limits::conditions_out_max; ++i) {
    spec.edges.push_back({"v0", "v" + std::to_string(i)});
    spec.edges.back().when = value::object{{"path", "/a"}, {"exists", true}};
  }
  CHECK(faults(spec).empty());
  auto more = spec;
  more.edges.push_back(spec.edges.back());
  more.edges.back().to = "v" + std::to_string(limits::conditions_out_max + 1);
  CHECK(faults(more)
        == wrong{{"too_many", "/edges/" + std::to_string(limits::conditions_out_max) + "/when"}});
}

namespace {

/// Whether `to` can be reached from `from`, by repeated passes over all edges.
std::set<std::string> reachable(const graph_spec& spec, const std::string& from) {
  std::set<std::string> seen;
  for (bool grew = true; grew;) {
    grew = false;
    for (auto& x : spec.edges)
      if (x.from == from || seen.contains(x.from))
        grew |= seen.insert(x.to).second;
  }
  return seen;
}

/// How many groups of vertices reach each other and themselves.
std::size_t cyclic_groups(const graph_spec& spec) {
  std::set<std::set<std::string>> groups;
  for (auto& v : spec.vertices) {
    std::set<std::string> group;
    for (auto& other : reachable(spec, v.id))
      if (reachable(spec, other).contains(v.id))
        group.insert(other);
    if (group.contains(v.id))
      groups.insert(group);
  }
  return groups.size();
}

/// The vertices that are named: `a -> b -> a`.
std::string way_in(const std::string& detail) {
  auto begin = std::string_view{"a cycle: "}.size();
  return detail.substr(begin, detail.find(';') - begin);
}

/// Whether each arrow of `a -> b -> a` is an edge, no vertex comes twice, and it ends as it began.
bool is_cycle(const graph_spec& spec, std::string text) {
  std::vector<std::string> names;
  for (std::size_t at; (at = text.find(" -> ")) != text.npos; text.erase(0, at + 4))
    names.push_back(text.substr(0, at));
  auto known = [&](auto& from, auto& to) {
    return std::any_of(spec.edges.begin(), spec.edges.end(),
                       [&](auto& x) { return x.from == from && x.to == to; });
  };
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!known(names[i], names[(i + 1) % names.size()]))
      return false;
  return std::set<std::string>(names.begin(), names.end()).size() == names.size()
         && text == names.at(0);
}

} // namespace

TEST_CASE("in random graphs each group that can reach itself gives one true cycle", "[core]") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 300; ++round) {
    graph_spec spec;
    auto size = 1 + random() % 8;
    for (std::size_t v = 0; v < size; ++v)
      spec.vertices.push_back(noop("v" + std::to_string(v)));
    std::set<std::pair<std::size_t, std::size_t>> pairs;
    for (auto e = random() % (2 * size); e > 0; --e)
      pairs.emplace(random() % size, random() % size);
    for (auto [from, to] : pairs)
      spec.edges.push_back(link_of(spec.vertices[from].id, spec.vertices[to].id));
    auto found = checked(spec);
    REQUIRE(found.size() == cyclic_groups(spec));
    for (auto& x : found)
      REQUIRE(is_cycle(spec, way_in(x.detail)));
  }
}
