#include "graph_json/dot.hpp"
#include "graph_json/graph_json.hpp"
#include "graph_json/value_json.hpp"
#include "graph_json/wfformat.hpp"
#include "troupe/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>

namespace {

using namespace troupe;
using namespace troupe::graph_json;

// Also without assertions: a broken promise ends the process, which every driver notices.
void demand(bool holds, const char* promise) {
  if (holds)
    return;
  std::cerr << "broken: " << promise << "\n";
  std::abort();
}

void read_values(std::string_view text) {
  if (auto x = parse_value(text)) {
    auto again = parse_value(to_json(*x));
    demand(again && *again == *x, "a value is read back as it was");
    auto pretty = parse_value(to_json_pretty(*x));
    demand(pretty && *pretty == *x, "a value over several lines is read back as it was");
    auto canon = canonical(*x);
    auto reread = parse_value(canon);
    demand(reread && canonical(*reread) == canon, "a canonical text stays as it is");
  }
  if (auto all = parse_ndjson(text))
    demand(all->size() <= text.size(), "a value has at least one byte");
}

void read_graph(std::string_view text) {
  auto parsed = parse_graph(text);
  demand(parsed.errors.size() <= limits::graph_problems_max + 1, "problems have a bound");
  to_dot(parsed.spec);
  if (!parsed.errors.empty())
    return;
  auto again = parse_graph(canonical_json(parsed.spec));
  demand(again.errors.empty() && again.spec == parsed.spec, "a graph is read back as it was");
}

void read_workflow(std::string_view text) {
  auto parsed = import_wfformat(text, {.replay_speedup = 100});
  demand(parsed.errors.size() <= limits::graph_problems_max + 1, "problems have a bound");
  if (!parsed.errors.empty())
    return;
  auto again = parse_graph(canonical_json(parsed.spec));
  demand(again.errors.empty() && again.spec == parsed.spec, "an imported graph is a graph");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  read_values(text);
  read_graph(text);
  read_workflow(text);
  return 0;
}
