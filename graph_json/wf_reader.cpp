#include "graph_json/wf_reader.hpp"

#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::graph_json {

namespace {

constexpr std::string_view wf_runs = "/workflow/execution/tasks";

/// The containers on the way to the lists.
constexpr std::string_view ways[] = {"", "/workflow", "/workflow/specification",
                                     "/workflow/execution"};

bool is_below(std::string_view pointer, std::string_view list) {
  return pointer.size() > list.size() && pointer.starts_with(list) && pointer[list.size()] == '/';
}

/// The text of a member that must be there.
const std::string* text_of(const value& x, std::string_view key, const json_place& at,
                           problem_list& out) {
  auto found = x.find(key);
  if (!found) {
    out.missing_key(at, key);
    return nullptr;
  }
  if (!found->string())
    out.wrong_type(at / key, *found, "a string");
  return found->string();
}

/// A list of task ids; without the member there are none.
std::vector<std::string> ids_of(const value& x, std::string_view key, const json_place& at,
                                problem_list& out) {
  std::vector<std::string> ids;
  auto found = x.find(key);
  if (!found)
    return ids;
  auto here = at / key;
  if (!found->items())
    out.wrong_type(here, *found, "a list of ids of tasks");
  else
    for (auto& id : *found->items()) {
      if (!id.string())
        out.wrong_type(here / ids.size(), id, "the id of a task");
      ids.push_back(id.string() ? *id.string() : "");
    }
  return ids;
}

} // namespace

json_walker::way wf_reader::choose(std::string_view pointer, value::type type) {
  if (std::find(std::begin(ways), std::end(ways), pointer) != std::end(ways))
    return type == value::type::object ? way::down : way::take;
  if (pointer == wf_tasks) {
    document_.has_tasks = type == value::type::list;
    return document_.has_tasks ? way::down : way::take;
  }
  if (pointer == wf_runs && with_runtimes_)
    return type == value::type::list ? way::down : way::take;
  auto is_wanted = pointer == "/name" || pointer == "/schemaVersion" || is_below(pointer, wf_tasks)
                   || (with_runtimes_ && is_below(pointer, wf_runs));
  return is_wanted ? way::take : way::skip;
}

void wf_reader::take(std::string_view pointer, std::string_view key, value&& x) {
  json_place at{pointer};
  if (is_below(pointer, wf_tasks))
    add_task(x, at);
  else if (is_below(pointer, wf_runs))
    add_runtime(x, at);
  else if (key == "schemaVersion")
    document_.version = std::move(x);
  else if (key == "name" && x.string())
    document_.name = *x.string();
  else if (key == "name")
    out_.wrong_type(at, x, "a string");
  else
    out_.wrong_type(at, x, key == "tasks" ? "a list" : "an object");
}

void wf_reader::repeated(std::string_view pointer, std::string_view key) {
  out_.duplicate_key(json_place{pointer}, key);
}

void wf_reader::add_task(const value& x, const json_place& at) {
  auto index = tasks_++;
  if (index == limits::graph_vertices_max)
    out_.add("too_many", json_place{wf_tasks},
             "at most " + std::to_string(limits::graph_vertices_max) + " tasks");
  if (index >= limits::graph_vertices_max)
    return;
  if (!x.members())
    return out_.wrong_type(at, x, "an object");
  if (auto id = text_of(x, "id", at, out_))
    document_.tasks.push_back(
        {*id, index, ids_of(x, "parents", at, out_), ids_of(x, "children", at, out_)});
}

void wf_reader::add_runtime(const value& x, const json_place& at) {
  if (document_.runtimes.size() >= limits::graph_vertices_max)
    return;
  if (!x.members())
    return out_.wrong_type(at, x, "an object");
  auto id = text_of(x, "id", at, out_);
  auto seconds = x.find("runtimeInSeconds");
  if (!id || !seconds)
    return;
  auto here = at / "runtimeInSeconds";
  if (!seconds->is_number())
    return out_.wrong_type(here, *seconds, "a number of seconds");
  if (seconds->as_double() < 0)
    return out_.add("out_of_range", here, "a run time cannot be negative");
  document_.runtimes.emplace(*id, seconds->as_double());
}

} // namespace troupe::graph_json
