#include "node/job_commands.hpp"

#include "core/names.hpp"
#include "core/time_text.hpp"
#include "graph_json/value_json.hpp"
#include "node/job_reader.hpp"
#include "node/job_states.hpp"
#include "node/owner.hpp"
#include "node/progress_text.hpp"
#include "node/show.hpp"
#include "node/text.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

constexpr std::size_t error_width_max = 60;

constexpr std::string_view no_owner = "no process runs it now; `troupe run --resume` continues it";

int flushed(console& to) {
  return to.flush() ? number(exit_code::ok) : to.fail(fault::output_failed);
}

/// Whether a job waits for somebody to go on with it.
bool is_orphan(const job_info& x, const std::filesystem::path& data) {
  return !terminal(x.state) && !has_owner(data);
}

std::string took(const job_info& x) {
  return x.ended == time_point{} || x.started == time_point{} ? "" : span_text(x.ended - x.started);
}

row row_of(const job_info& x) {
  auto graph = x.graph_name.empty() ? short_text(x.graph) : x.graph_name;
  return {to_string(x.id),
          to_string(x.state),
          graph,
          x.queue,
          core::to_text(x.created),
          took(x),
          x.error.code.empty() ? "" : cut(x.error.detail, error_width_max)};
}

void show_table(console& to, const std::vector<job_info>& jobs) {
  std::vector<row> rows{{"ID", "STATE", "GRAPH", "QUEUE", "CREATED", "TOOK", "ERROR"}};
  for (auto& x : jobs)
    rows.push_back(row_of(x));
  to.out(table_of(rows));
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

void show_one(console& to, const whole_job& x, bool orphan) {
  auto& info = x.info;
  std::vector<row> rows{
      {"job", to_string(info.id)},
      {"state", to_string(info.state)},
      {"graph", info.graph_name + (info.graph_name.empty() ? "" : "  ") + to_string(info.graph)},
      {"queue", info.queue},
      {"created", time_text(info.created)},
      {"started", time_text(info.started)},
      {"ended",
       time_text(info.ended) + (info.ended == time_point{} ? "" : "  (took " + took(info) + ")")},
      {"vertices", vertices_text(info)},
      {"events", std::to_string(info.events)}};
  if (orphan)
    rows.insert(rows.begin() + 2, {"owner", std::string{no_owner}});
  if (info.retry_of)
    rows.push_back({"retry of", to_string(*info.retry_of)});
  for (auto& [key, text] : info.labels)
    rows.push_back({"label", key + "=" + one_line(text)});
  if (!info.error.code.empty())
    rows.push_back({"error", info.error.code + ": " + one_line(info.error.detail)});
  for (auto& [vertex, why] : x.failures)
    rows.push_back({"failed", vertex + ": " + why.code + ": " + one_line(why.detail)});
  to.out(table_of(rows));
  if (info.state == job_state::completed)
    to.out("result\n" + graph_json::to_json_pretty(info.result) + "\n");
}

value value_of(const whole_job& x, bool orphan) {
  auto all = to_value(x.info);
  all["failures"] = to_value(x.failures);
  all["result"] = x.info.result;
  all["orphan"] = orphan;
  return all;
}

} // namespace

int list_jobs(console& to, const list_options& options, format how) {
  auto state = state_of(options.state);
  if (!state)
    return to.fail(state.trouble());
  auto from = job_reader::open(options.data);
  if (!from)
    return to.fail(from.trouble());
  auto jobs = from->list({*state, options.queue, false, options.limit});
  if (!jobs)
    return to.fail(jobs.error());
  if (how == format::table) {
    show_table(to, *jobs);
    if (std::ranges::any_of(*jobs, [](auto& x) { return !terminal(x.state); })
        && !has_owner(options.data))
      to.err("note: no process runs the unfinished jobs now; `troupe run --resume` continues the "
             "newest\n");
    return flushed(to);
  }
  value::list all;
  for (auto& x : *jobs)
    how == format::json ? all.push_back(to_value(x)) : void(to.out_line(to_value(x)));
  if (how == format::json)
    to.out_json(value{std::move(all)});
  return flushed(to);
}

int get_job(console& to, const std::filesystem::path& data, const std::string& id, format how) {
  auto from = job_reader::open(data);
  if (!from)
    return to.fail(from.trouble());
  auto found = from->find(id);
  if (!found)
    return to.fail(found.trouble());
  auto job = from->get(*found);
  if (!job)
    return to.fail(job.error());
  auto orphan = is_orphan(job->info, data);
  if (how == format::table)
    show_one(to, *job, orphan);
  else if (how == format::json)
    to.out_json(value_of(*job, orphan));
  else
    to.out_line(value_of(*job, orphan));
  return flushed(to);
}

} // namespace troupe::node
