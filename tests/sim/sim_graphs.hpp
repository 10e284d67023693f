#pragma once

#include "tests/support/graphs.hpp"

#include <functional>

namespace troupe::tests {

/// An impure vertex that fails `fails` times before it succeeds.
inline vertex_spec& work(graph_spec& g, std::string id, int fails = 0) {
  auto& v = add(g, std::move(id), "exec");
  v.config = value::object{{"argv", value::list{"work", std::to_string(fails)}}};
  return v;
}

inline graph_spec impure_chain() {
  graph_spec g;
  for (auto id : {"a", "b", "c"})
    work(g, id);
  link(g, "a", "b");
  link(g, "b", "c");
  return g;
}

/// Pure vertices around impure ones; one branch is not taken.
inline graph_spec mixed() {
  graph_spec g;
  add(g, "start").config = value::object{{"output", value::object{{"go", "left"}}}};
  work(g, "left");
  work(g, "right");
  add(g, "after_right");
  add(g, "jq", "jq").config = value::object{{"program", "."}};
  add(g, "join");
  link(g, "start", "left").when = value{value::object{{"path", "/go"}, {"eq", "left"}}};
  link(g, "start", "right").when = value{value::object{{"path", "/go"}, {"eq", "right"}}};
  link(g, "right", "after_right");
  link(g, "start", "jq");
  for (auto id : {"left", "after_right", "jq"})
    link(g, id, "join");
  return g;
}

/// Failures that are repeated, tolerated, routed.
inline graph_spec failures() {
  graph_spec g;
  auto& flaky = work(g, "flaky", 2);
  flaky.retry.max_attempts = 3;
  work(g, "broken", 9).on_error = on_error_policy::continue_on;
  work(g, "routed", 9).on_error = on_error_policy::route;
  add(g, "after_broken");
  add(g, "rescue");
  add(g, "sum").join.policy = join_policy::ignore_failed;
  link(g, "broken", "after_broken");
  link(g, "routed", "rescue").from_port = "error";
  for (auto id : {"flaky", "broken", "rescue"})
    link(g, id, "sum");
  return g;
}

/// A failure that fails the job while siblings run.
inline graph_spec fatal() {
  graph_spec g;
  work(g, "bad", 9);
  work(g, "sibling");
  work(g, "never");
  link(g, "bad", "never");
  return g;
}

/// Timers beside work.
inline graph_spec timers() {
  graph_spec g;
  add(g, "nap", "delay").config = value::object{{"for", "5s"}};
  add(g, "long_nap", "delay").config = value::object{{"for", "1h"}};
  work(g, "after");
  link(g, "nap", "after");
  add(g, "end");
  link(g, "after", "end");
  link(g, "long_nap", "end");
  return g;
}

/// Outputs that are blobs, of an impure vertex and of a pure one.
inline graph_spec large() {
  graph_spec g;
  work(g, "read").config = value::object{{"argv", value::list{"work", "0", "70000"}}};
  add(g, "make").config = value::object{{"output", std::string(80'000, 'y')}};
  work(g, "after");
  link(g, "read", "after");
  return g;
}

struct named_graph {
  const char* name;
  std::function<graph_spec()> make;
};

inline const named_graph sim_graphs[] = {
    {"impure_chain", impure_chain},
    {"mixed", mixed},
    {"failures", failures},
    {"fatal", fatal},
    {"timers", timers},
    {"large", large},
    {"pure_chain", [] { return chain(4); }},
};

} // namespace troupe::tests
