#include "node/told_events.hpp"

#include "core/time_text.hpp"
#include "graph_json/value_json.hpp"
#include "node/harmless.hpp"
#include "node/progress_text.hpp"

namespace troupe::node {

bool is_told(const event& x, const std::optional<std::string>& vertex, bool all) {
  if (vertex && text_of(x.data, "vertex") != *vertex)
    return false;
  return all || x.type == "log" || !failure_line(x, {}).empty();
}

std::string told_line(const event& x, bool numbered) {
  auto time =
      (numbered ? std::to_string(x.id) + "  " : std::string{}) + core::to_text(x.time) + "  ";
  if (auto line = log_line(x, {}); !line.empty())
    return time + line + "\n";
  if (auto line = failure_line(x, {}); !line.empty())
    return time + line + "\n";
  return time + std::string{x.type} + "  " + harmless(graph_json::to_json(x.data)) + "\n";
}

} // namespace troupe::node
