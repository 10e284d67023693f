#include "node/client/job_json.hpp"

#include "core/state_names.hpp"
#include "core/time_text.hpp"
#include "node/progress.hpp"

#include <mutex>
#include <set>

namespace troupe::client {

namespace {

using node::number_of;
using node::text_of;

time_point time_at(const value& x, std::string_view key) {
  auto time = core::parse_time(text_of(x, key));
  return time ? time_point{*time} : time_point{};
}

std::uint32_t count_at(const value& x, std::string_view key) {
  return static_cast<std::uint32_t>(number_of(x, key));
}

void read_progress(const value& x, job_info& to) {
  to.vertices = count_at(x, "vertices");
  for (unsigned i = 0; i < vertex_states; ++i)
    to.count[i] = count_at(x, to_string(vertex_state(i)));
}

void read_labels(const value& x, job_info& to) {
  if (auto members = x.members())
    for (auto& [key, text] : *members)
      to.labels[key] = text.string() ? *text.string() : "";
}

void read_messages(const value& x, job_info& to) {
  if (auto items = x.items())
    for (auto& text : *items)
      to.messages.push_back(text.string() ? *text.string() : "");
}

} // namespace

std::optional<job_info> read_job(const value& x) {
  auto id = parse_job_id(text_of(x, "id"));
  auto state = core::parse_job_state(text_of(x, "state"));
  if (!id || !state)
    return {};
  job_info job;
  job.id = *id;
  job.state = *state;
  if (auto graph = parse_graph_id(text_of(x, "graph")))
    job.graph = *graph;
  job.graph_name = text_of(x, "graph_name");
  job.queue = text_of(x, "queue");
  job.created = time_at(x, "created_at");
  job.started = time_at(x, "started_at");
  job.ended = time_at(x, "completed_at");
  job.expires_at = time_at(x, "expires_at");
  job.events = static_cast<std::uint64_t>(number_of(x, "events"));
  job.retry_of = parse_job_id(text_of(x, "retry_of"));
  if (auto error = x.find("error"))
    job.error = node::problem_of(*error);
  if (auto progress = x.find("progress"))
    read_progress(*progress, job);
  if (auto labels = x.find("labels"))
    read_labels(*labels, job);
  if (auto messages = x.find("messages"))
    read_messages(*messages, job);
  if (auto result = x.find("result"))
    job.result = *result;
  return job;
}

bool is_gone(const value& x) {
  auto deleted = x.find("deleted");
  return deleted && deleted->boolean() && *deleted->boolean();
}

std::optional<job_info> read_gone(const value& x) {
  auto id = parse_job_id(text_of(x, "id"));
  if (!id)
    return {};
  job_info job;
  job.id = *id;
  job.queue = text_of(x, "queue");
  job.created = time_at(x, "created_at");
  return job;
}

namespace {

/// The name as text that stays.
std::string_view type_named(std::string_view name) {
  static std::mutex mutex;
  static std::set<std::string, std::less<>> names;
  std::scoped_lock lock{mutex};
  if (auto found = names.find(name); found != names.end())
    return *found;
  return names.size() < event_types_max ? std::string_view{*names.emplace(name).first} : "other";
}

} // namespace

std::optional<event> read_event(const value& x) {
  auto id = number_of(x, "id");
  auto type = text_of(x, "event");
  auto job = parse_job_id(text_of(x, "job"));
  if (id <= 0 || type.empty() || !job)
    return {};
  event told;
  told.job = *job;
  told.id = static_cast<std::uint64_t>(id);
  told.type = type_named(type);
  told.stream = type == "log" || type == "token" || type == "progress";
  told.time = time_at(x, "time");
  if (auto data = x.find("data"))
    told.data = *data;
  return told;
}

} // namespace troupe::client
