// A durable job in a program of its own: opens a runtime, registers a function, submits a graph,
// and reads events and result.
#include <iostream>
#include <troupe/graph_builder.hpp>
#include <troupe/runtime.hpp>

using namespace std::chrono_literals;

static troupe::value twice(const troupe::value& inputs, troupe::function_context&) {
  return 2 * *inputs.find("job")->integer();
}

int main(int argc, char** argv) {
  auto rt =
      troupe::runtime::open({.data_dir = argc > 1 ? argv[1] : "troupe-data"}, {{"twice", twice}});
  if (!rt)
    return std::cerr << to_string(rt.code()) << ": " << rt.error().detail << '\n', 1;
  auto graph = troupe::graph_builder{"double"}.add("twice", "function", {{"name", "twice"}});
  auto job = rt->submit({.graph = *rt->add_graph(graph.build()), .input = 21});
  auto reader = rt->events(*job);
  for (auto seen = reader->next(30s); seen && !seen->empty(); seen = reader->next(30s))
    for (auto& event : *seen)
      std::cout << event.id << ' ' << event.type << '\n';
  std::cout << *rt->get(*job)->result.find("twice")->integer() << '\n';
}
