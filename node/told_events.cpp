#include "node/told_events.hpp"

#include "core/time_text.hpp"
#include "graph_json/value_json.hpp"
#include "node/harmless.hpp"
#include "node/progress_text.hpp"

namespace troupe::node {

bool is_told(const event& x, const std::optional<std::string>& vertex, bool all) {
  if (vertex && text_of(x.data, "vertex") != *vertex)
    return false;
  return all || !log_lines(x, {}).empty() || !failure_line(x, {}).empty();
}

std::string told_lines(const event& x, bool numbered) {
  auto time =
      (numbered ? std::to_string(x.id) + "  " : std::string{}) + core::to_text(x.time) + "  ";
  auto line = failure_line(x, {});
  if (line.empty() && numbered && x.type != "log")
    line = std::string{x.type} + "  " + harmless(graph_json::to_json(x.data));
  if (!line.empty())
    return time + line + "\n";
  std::string all;
  for (auto& said : log_lines(x, {}))
    all += time + said + "\n";
  return all;
}

} // namespace troupe::node
