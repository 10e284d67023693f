#include "node/job_tables.hpp"

#include "core/time_text.hpp"
#include "graph_json/value_json.hpp"
#include "node/harmless.hpp"
#include "node/show.hpp"
#include "node/text.hpp"

#include <utility>

namespace troupe::node {

namespace {

constexpr std::size_t error_width_max = 60, message_width_max = 200;

std::string took(const job_info& x) {
  return x.ended == time_point{} || x.started == time_point{} ? "" : span_text(x.ended - x.started);
}

row row_of(const job_info& x) {
  auto graph = x.graph_name.empty() ? short_text(x.graph) : one_line(x.graph_name);
  return {to_string(x.id),
          to_string(x.state),
          graph,
          one_line(x.queue),
          core::to_text(x.created),
          took(x),
          x.error.code.empty() ? "" : cut(x.error.detail, error_width_max)};
}

std::string time_text(time_point x) { return x == time_point{} ? "-" : core::to_text(x); }

std::string vertices_text(const job_info& x) {
  auto text = std::to_string(x.vertices);
  bool first = true;
  for (unsigned i = 0; i < vertex_states; ++i)
    if (x.count[i] > 0)
      text += (std::exchange(first, false) ? ": " : ", ") + std::to_string(x.count[i]) + " "
              + to_string(vertex_state(i));
  return text;
}

} // namespace

std::string jobs_table(std::span<const job_info> jobs) {
  std::vector<row> rows{{"ID", "STATE", "GRAPH", "QUEUE", "CREATED", "TOOK", "ERROR"}};
  for (auto& x : jobs)
    rows.push_back(row_of(x));
  return table_of(rows);
}

// One table.
std::string job_table(const job_info& job, std::span<const vertex_failure> failures,
                      const std::string& owner) {
  std::vector<row> rows{
      {"job", to_string(job.id)},
      {"state", to_string(job.state)},
      {"graph",
       one_line(job.graph_name) + (job.graph_name.empty() ? "" : "  ") + to_string(job.graph)},
      {"queue", one_line(job.queue)},
      {"created", time_text(job.created)},
      {"started", time_text(job.started)},
      {"ended", time_text(job.ended) + (took(job).empty() ? "" : "  (took " + took(job) + ")")},
      {"vertices", vertices_text(job)},
      {"events", std::to_string(job.events)}};
  if (!owner.empty())
    rows.insert(rows.begin() + 2, {"owner", owner});
  if (job.state == job_state::pending && job.expires_at != time_point{})
    rows.push_back({"expires", time_text(job.expires_at)});
  if (job.retry_of)
    rows.push_back({"retry of", to_string(*job.retry_of)});
  for (auto& [key, text] : job.labels)
    rows.push_back({"label", one_line(key + "=" + text)});
  for (auto& text : job.messages)
    rows.push_back({"message", cut(text, message_width_max)});
  if (!job.error.code.empty())
    rows.push_back({"error", one_line(job.error.code + ": " + job.error.detail)});
  for (auto& [vertex, why] : failures)
    rows.push_back({"failed", one_line(vertex + ": " + why.code + ": " + why.detail)});
  auto text = table_of(rows);
  if (job.state == job_state::completed)
    text += "result\n" + harmless(graph_json::to_json_pretty(job.result)) + "\n";
  return text;
}

} // namespace troupe::node
