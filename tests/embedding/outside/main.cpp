// What a program outside the tree relies on: an exception of its own that the library understands,
// the installed helper of `jq`, and public structs that may be written in part without a warning.
#include <iostream>
#include <troupe/runtime.hpp>

using namespace std::chrono_literals;
using troupe::value;

namespace {

value sell(const value&, troupe::function_context&) {
  throw troupe::failure{"sold_out", "none is left"};
}

troupe::graph_spec shop() {
  return {
      .name = "shop",
      .vertices = {{.id = "sell", .kind = "function", .config = value::object{{"name", "sell"}}},
                   {.id = "ship", .kind = "noop"}},
      .edges = {{.from = "sell", .to = "ship"}}};
}

troupe::graph_spec upper() {
  return {.vertices = {{.id = "up",
                        .kind = "jq",
                        .config = value::object{{"program", ".job | ascii_upcase"}},
                        .timeouts = {.hard = 60s}}},
          .result = {"up"},
          .result_is_single = true};
}

troupe::job_info run(troupe::runtime& rt, const troupe::graph_spec& graph, value input) {
  auto job = rt.submit({.graph = *rt.add_graph(graph), .input = std::move(input)});
  return *rt.wait(*job, 60s);
}

} // namespace

int main() {
  auto rt = troupe::runtime::open({.memory = true}, {{.name = "sell", .body = sell}});
  if (!rt)
    return 1;
  auto sold = run(*rt, shop(), {});
  std::cout << to_string(sold.state);
  auto reader = rt->events(sold.id);
  for (auto seen = reader->next(60s); seen && !seen->empty(); seen = reader->next(60s))
    for (auto& x : *seen)
      if (auto wrong = x.data.find("error"); x.type == "end_vertex" && wrong && wrong->members())
        std::cout << ": " << *wrong->find("code")->string() << ", "
                  << *wrong->find("detail")->string();
  auto raised = run(*rt, upper(), "installed");
  std::cout << '\n'
            << to_string(raised.state) << ": "
            << (raised.result.string() ? *raised.result.string() : raised.error.detail) << '\n';
}
