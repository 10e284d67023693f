#include "graph_json/wfformat.hpp"

#include "core/names.hpp"
#include "graph_json/name_giver.hpp"
#include "graph_json/value_json.hpp"
#include "graph_json/wf_reader.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

namespace troupe::graph_json {

namespace {

/// Turns lists of ids into edges and reports those that lead nowhere.
class edge_finder {
public:
  edge_finder(const wf_document& document, problem_list& out)
      : tasks_(document.tasks), out_(out), parents_of_(document.tasks.size()) {
    for (std::uint32_t i = 0; i < tasks_.size(); ++i)
      if (!index_of_.emplace(tasks_[i].id, i).second)
        report(tasks_[i], "id", {}, "duplicate_task",
               "another task has the id " + core::quoted(tasks_[i].id));
  }

  /// The parents of each task, by index.
  std::vector<std::vector<std::uint32_t>> find() {
    for (std::uint32_t i = 0; i < tasks_.size(); ++i)
      each(i, "parents", tasks_[i].parents, [&](auto parent) { add(parent, i); });
    for (std::uint32_t i = 0; i < tasks_.size(); ++i)
      each(i, "children", tasks_[i].children, [&](auto child) { add(i, child); });
    if (seen_.size() > limits::graph_edges_max)
      out_.add("too_many", json_place{wf_tasks},
               "at most " + std::to_string(limits::graph_edges_max) + " dependencies");
    return std::move(parents_of_);
  }

private:
  template <class Use>
  void each(std::uint32_t task, std::string_view key, const std::vector<std::string>& ids,
            Use use) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      auto other = index_of_.find(ids[i]);
      if (other == index_of_.end())
        report(tasks_[task], key, i, "unknown_task", "no task has the id " + core::quoted(ids[i]));
      else if (other->second == task)
        report(tasks_[task], key, i, "self_edge", "a task cannot depend on itself");
      else
        use(other->second);
    }
  }

  void add(std::uint32_t from, std::uint32_t to) {
    auto is_new = seen_.insert(std::uint64_t{from} << 32 | to).second;
    if (is_new && seen_.size() <= limits::graph_edges_max)
      parents_of_[to].push_back(from);
  }

  void report(const wf_task& task, std::string_view key, std::optional<std::size_t> item,
              const char* code, std::string detail) {
    json_place all{wf_tasks};
    auto one = all / task.index;
    auto member = one / key;
    out_.add(code, item ? member / *item : member, std::move(detail));
  }

  const std::vector<wf_task>& tasks_;
  problem_list& out_;
  std::unordered_map<std::string_view, std::uint32_t> index_of_;
  std::unordered_set<std::uint64_t> seen_; ///< From and to.
  std::vector<std::vector<std::uint32_t>> parents_of_;
};

/// How long the vertex of a task waits. Nothing above what a graph may say.
std::chrono::milliseconds time_of(const wf_document& document, const wf_task& task,
                                  double speedup) {
  auto found = document.runtimes.find(task.id);
  auto ms = found == document.runtimes.end() ? 0 : found->second / speedup * 1000;
  auto max = std::chrono::milliseconds{limits::duration_max};
  return ms < static_cast<double>(max.count()) ? std::chrono::milliseconds{std::llround(ms)} : max;
}

vertex_spec vertex_of(const wf_document& document, const wf_task& task, std::string name,
                      const wf_options& options) {
  vertex_spec vertex;
  vertex.id = std::move(name);
  vertex.kind = options.replay_speedup ? "delay" : "noop";
  vertex.inputs = {{"in", arity::many}};
  if (options.replay_speedup) {
    auto time = time_of(document, task, *options.replay_speedup);
    vertex.config = value::object{{"for", std::to_string(time.count()) + "ms"}, {"hold", true}};
  }
  return vertex;
}

graph_spec graph_of(const wf_document& document, const wf_options& options, problem_list& out) {
  graph_spec graph;
  if (!document.name.empty())
    graph.name = name_of(document.name);
  name_giver names;
  for (auto& task : document.tasks)
    names.reserve(task.id);
  for (auto& task : document.tasks)
    graph.vertices.push_back(vertex_of(document, task, names.give(task.id), options));
  auto parents_of = edge_finder{document, out}.find();
  for (std::size_t to = 0; to < parents_of.size(); ++to)
    for (auto from : parents_of[to]) {
      auto& edge = graph.edges.emplace_back();
      edge.from = graph.vertices[from].id;
      edge.to = graph.vertices[to].id;
    }
  return graph;
}

/// What makes a document as a whole unusable, if anything does.
std::optional<problem> refusal(const wf_document& document) {
  if (!document.version)
    return problem{"not_wfformat", "", "no `schemaVersion`: this is not a WfFormat document"};
  if (*document.version != value{"1.5"})
    return problem{"unsupported_version", "/schemaVersion",
                   "WfFormat " + core::quoted(to_json(*document.version))
                       + " is not supported; only \"1.5\""};
  if (!document.has_tasks)
    return problem{"not_wfformat", "", "no list at " + core::quoted(wf_tasks)};
  return {};
}

} // namespace

parsed_graph import_wfformat(std::string_view text, const wf_options& options) {
  auto speedup = options.replay_speedup;
  if (speedup && !(std::isfinite(*speedup) && *speedup > 0))
    return {{}, {{"out_of_range", "", "the speed-up of a replay is a number above 0"}}};
  problem_list out;
  wf_reader reader{speedup.has_value(), out};
  if (auto fault = read_json(text, reader))
    return {{}, {{"syntax", "", to_string(fault->at) + ": " + fault->detail}}};
  if (auto why = refusal(reader.document()))
    return {{}, {*why}};
  auto graph = graph_of(reader.document(), options, out);
  return {std::move(graph), out.release()};
}

} // namespace troupe::graph_json
