// A program that runs a graph of its own functions: the longest Collatz sequence below 1000.
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <cstdlib>
#include <iostream>

using namespace std::chrono_literals;
using troupe::value;

namespace {

constexpr std::int64_t below = 1000;
constexpr std::int64_t parts = 4;

std::int64_t steps_from(std::int64_t n) {
  std::int64_t steps = 0;
  for (; n != 1; ++steps)
    n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

/// Pure: what it gives depends on its arguments only.
value search(const value&, troupe::function_context& context) {
  std::int64_t best = 1;
  for (auto n = *context.arguments.find("from")->integer(); n < below; n += parts)
    if (steps_from(n) > steps_from(best))
      best = n;
  return value::object{{"start", best}, {"steps", steps_from(best)}};
}

/// Pure: what the `many` port `in` gives is a list.
value longest(const value& inputs, troupe::function_context&) {
  value best;
  for (auto& x : *inputs.find("in")->items())
    if (best.is_null() || *x.find("steps")->integer() > *best.find("steps")->integer())
      best = x;
  return best;
}

/// Impure: it fails at first, and is repeated. Each attempt is on record before it starts.
value announce(const value& inputs, troupe::function_context& context) {
  context.log("attempt " + std::to_string(context.attempt));
  if (context.attempt == 1)
    throw troupe::failure{"line_busy", "nobody answers"};
  auto& found = *inputs.find("in");
  return "from " + std::to_string(*found.find("start")->integer()) + " it takes "
         + std::to_string(*found.find("steps")->integer()) + " steps";
}

troupe::graph_spec collatz() {
  troupe::graph_builder graph{"collatz"};
  graph.add("longest", "function", {{"name", "longest"}}).takes_many();
  for (std::int64_t i = 1; i <= parts; ++i) {
    auto id = "search-" + std::to_string(i);
    graph.add(id, "function", {{"name", "search"}, {"arguments", value::object{{"from", i}}}})
        .connect(id, "longest");
  }
  graph.add("announce", "function", {{"name", "announce"}}).connect("longest", "announce");
  graph.vertex().retry.max_attempts = 3;
  graph.vertex().retry.base = 10ms;
  return graph.build();
}

/// Prints every event up to the job's end.
troupe::status follow(troupe::runtime& rt, troupe::job_id job) {
  auto reader = rt.events(job);
  if (!reader)
    return reader.error();
  while (true) {
    auto events = reader->next(30s);
    if (!events)
      return events.error();
    if (events->empty())
      return {};
    for (auto& x : *events) {
      auto vertex = x.data.find("vertex");
      std::cout << x.id << ' ' << x.type << ' ' << (vertex ? *vertex->string() : "") << '\n';
    }
  }
}

troupe::status run(const std::filesystem::path& directory) {
  troupe::runtime_config config;
  config.data_dir = directory;
  auto rt = troupe::runtime::open(
      config,
      {{"search", search, true}, {"longest", longest, true}, {"announce", announce, false}});
  if (!rt)
    return rt.error();
  auto graph = rt->add_graph(collatz());
  if (!graph)
    return graph.error();
  troupe::job_spec spec;
  spec.graph = *graph;
  auto job = rt->submit(spec); // From here on it is on disk: a crash does not lose it.
  if (!job)
    return job.error();
  if (auto told = follow(*rt, *job); !told)
    return told;
  auto info = rt->get(*job);
  if (!info)
    return info.error();
  auto said = info->result.find("announce");
  std::cout << to_string(info->state) << ": "
            << (said && said->string() ? *said->string() : info->error.detail) << '\n';
  return {};
}

} // namespace

int main() {
  auto directory = std::filesystem::temp_directory_path() / "troupe-library-XXXXXX";
  auto name = directory.string();
  if (!::mkdtemp(name.data()))
    return 1;
  auto done = run(name);
  std::filesystem::remove_all(name);
  if (done)
    return 0;
  std::cerr << to_string(done.code()) << ": " << done.error().detail << '\n';
  return 1;
}
