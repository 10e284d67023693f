#include "node/http/task_record.hpp"

#include "core/time_text.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

constexpr std::string_view fields[] = {"agent_mode",   "llm_profile_name", "mcp_server_config",
                                       "session_id",   "task_description", "upload_files_path",
                                       "workspace_dir"};

struct status_line {
  job_state state;
  std::string_view name, meaning;
};
constexpr status_line lines[] = {
    {job_state::pending, "pending", "accepted, has not begun"},
    {job_state::running, "running", "has begun"},
    {job_state::paused, "paused", "nothing new starts until it is resumed"},
    {job_state::completed, "completed", "ended with a result"},
    {job_state::failed, "failed", "ended with an error"},
    {job_state::cancelled, "cancelled", "ended by a request, what ran was asked to end"},
    {job_state::stopped, "stopped", "ended by a request, at once"},
};

value member(const value& x, std::string_view key) {
  auto found = x.find(key);
  return found ? *found : value{};
}

value time_of(time_point x) { return x == time_point{} ? value{} : value{core::to_text(x)}; }

value text_or_null(const std::string& text) { return text.empty() ? value{} : value{text}; }

/// What the worker has answered: a text, or an object with `result` and `report_path`.
value answered(const job_info& job, std::string_view key) {
  auto has = job.result.find(key) != nullptr;
  if (key == "result" && !has && !job.result.find("report_path"))
    return job.result;
  return member(job.result, key);
}

value transitions(std::span<const event> moves) {
  value::list all;
  for (auto& x : moves)
    all.push_back(value::object{{"from", member(x.data, "from")},
                                {"to", member(x.data, "to")},
                                {"reason", member(x.data, "reason")},
                                {"at", core::to_text(x.time)}});
  return all;
}

value texts(const std::vector<std::string>& from) { return value::list(from.begin(), from.end()); }

/// Why the task last came into a state.
value reason_of(std::span<const event> moves, std::string_view to) {
  value reason;
  for (auto& x : moves)
    if (member(x.data, "to") == value{to})
      reason = member(x.data, "reason");
  return reason;
}

} // namespace

std::span<const std::string_view> task_fields() { return fields; }

value task_statuses() {
  value::list all;
  for (auto& x : lines)
    all.push_back(value::object{{"status", x.name}, {"description", x.meaning}});
  return all;
}

std::string_view task_status(job_state x) noexcept {
  for (auto& line : lines)
    if (line.state == x)
      return line.name;
  return "running"; // It is about to end.
}

std::optional<job_state> parse_task_status(std::string_view text) {
  auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  for (auto& line : lines)
    if (std::ranges::equal(text, line.name, same))
      return line.state;
  return {};
}

value task_record(const job_info& job, const value& asked, std::span<const event> moves) {
  value all = value::object{};
  for (auto name : fields)
    all[name] = member(asked, name);
  all["task_id"] = to_string(job.id);
  all["status"] = task_status(job.state);
  all["task_result"] = answered(job, "result");
  all["report_path"] = answered(job, "report_path");
  all["error_message"] = text_or_null(job.error.detail);
  all["created_at"] = time_of(job.created);
  all["updated_at"] = moves.empty() ? time_of(std::max({job.created, job.started, job.ended}))
                                    : value{core::to_text(moves.back().time)};
  all["started_at"] = time_of(job.started);
  all["completed_at"] = time_of(job.ended);
  all["messages"] = texts(job.messages);
  all["transitions"] = transitions(moves);
  return all;
}

value active_task(const job_info& job, const value& asked) {
  return value::object{{"task_id", to_string(job.id)},
                       {"status", task_status(job.state)},
                       {"session_id", member(asked, "session_id")},
                       {"task", member(asked, "task_description")},
                       {"llm_profile_name", member(asked, "llm_profile_name")},
                       {"workspace_dir", member(asked, "workspace_dir")},
                       {"upload_files", member(asked, "upload_files_path")},
                       {"active_mcp_servers", member(asked, "mcp_server_config")},
                       {"start_time", time_of(job.started)},
                       {"agent_id", nullptr}};
}

value detailed_task(const job_info& job, const value& asked, std::span<const event> moves) {
  auto updated = moves.empty() ? value{} : value{core::to_text(moves.back().time)};
  auto status = value{task_status(job.state)};
  return value::object{{"has_active_task", true},
                       {"task_id", to_string(job.id)},
                       {"status", status},
                       {"session_id", member(asked, "session_id")},
                       {"task", member(asked, "task_description")},
                       {"start_time", time_of(job.started)},
                       {"end_time", time_of(job.ended)},
                       {"result", answered(job, "result")},
                       {"error", text_or_null(job.error.detail)},
                       {"pause_reason", reason_of(moves, "paused")},
                       {"stop_reason", reason_of(moves, "stopping")},
                       {"messages", texts(job.messages)},
                       {"vibesurf_status", value::object{{"overall_status", status},
                                                         {"active_step", nullptr},
                                                         {"agent_statuses", value::object{}},
                                                         {"progress", value::object{}},
                                                         {"last_update", updated}}}};
}

} // namespace troupe::http
