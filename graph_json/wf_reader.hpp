#pragma once

#include "graph_json/json_walker.hpp"
#include "graph_json/problem_list.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::graph_json {

/// A task as it is written in a WfFormat document.
struct wf_task {
  std::string id;
  std::size_t index = 0; ///< Its place in the list of tasks.
  std::vector<std::string> parents, children;
};

/// What a graph needs of a WfFormat document.
struct wf_document {
  std::string name;
  std::optional<value> version;
  bool has_tasks = false; ///< The list of version 1.5 is there.
  std::vector<wf_task> tasks;
  std::map<std::string, double> runtimes; ///< In seconds, by task; only if they are wanted.
};

/// Reads a WfFormat document, task by task.
class wf_reader : public json_walker {
public:
  wf_reader(bool with_runtimes, problem_list& out) : with_runtimes_(with_runtimes), out_(out) {}

  wf_document& document() noexcept { return document_; }

private:
  way choose(std::string_view pointer, value::type type) override;
  void take(std::string_view pointer, std::string_view key, value&& x) override;
  void repeated(std::string_view pointer, std::string_view key) override;

  void add_task(const value& x, const json_place& at);
  void add_runtime(const value& x, const json_place& at);

  bool with_runtimes_;
  problem_list& out_;
  wf_document document_;
  std::size_t tasks_ = 0;
};

/// The list of tasks, and what begins the JSON Pointer of each.
inline constexpr std::string_view wf_tasks = "/workflow/specification/tasks";

} // namespace troupe::graph_json
