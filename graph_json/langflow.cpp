#include "graph_json/langflow.hpp"

#include "core/graph.hpp"
#include "core/json_pointer.hpp"
#include "core/names.hpp"
#include "graph_json/langflow_reader.hpp"
#include "graph_json/name_giver.hpp"
#include "graph_json/value_json.hpp"

#include <algorithm>
#include <set>

namespace troupe::graph_json {

namespace {

bool is_input(const std::string& type) { return type == "ChatInput" || type == "TextInput"; }
bool is_output(const std::string& type) { return type == "ChatOutput" || type == "TextOutput"; }

/// Before names as JSON, in comments at a program's end.
constexpr std::string_view component_mark = "\n# component ", group_mark = "\n# group ";

/// Where one link arrives.
struct arrival {
  const flow_link* link;
  std::string port;
  std::string output;
};

/// A port for each link, named by its field: so each value tells which output it is.
std::vector<arrival> arrivals_of(const std::vector<const flow_link*>& links,
                                 const std::map<std::string, std::string>& first_output) {
  std::vector<arrival> all;
  std::set<std::string> taken{"job"};
  std::map<std::string, int> next; // The number to try of each name; those before are taken.
  for (auto x : links) {
    auto port = name_of(x->field);
    auto base = port.substr(0, limits::name_bytes_max - 8) + ".";
    for (auto& n = next.try_emplace(port, 2).first->second; !taken.insert(port).second; ++n)
      port = base + std::to_string(n);
    all.push_back({x, port, x->output.empty() ? first_output.at(x->from) : x->output});
  }
  return all;
}

std::string literal(const std::string& text) { return to_json(value{text}); }

/// The value of a field as the flow has it; null if there is none.
value field_of(const flow_component& x, std::string_view name) {
  auto fields = x.fields();
  auto field = fields ? fields->find(name) : nullptr;
  auto found = field ? field->find("value") : nullptr;
  return found ? *found : value{};
}

/// A comment, unless there is nothing to tell.
std::string told(std::string_view mark, const std::string& name) {
  return name.empty() ? "" : std::string{mark} + literal(name);
}

/// What `told` has told in a program; empty if it has not.
std::string told_in(std::string_view program, std::string_view mark) {
  auto at = program.rfind(mark);
  if (at == program.npos)
    return "";
  auto rest = program.substr(at + mark.size());
  auto name = parse_value(rest.substr(0, rest.find('\n')));
  return name && name->string() ? *name->string() : "";
}

/// What an input or output gives: the last value that came, else what the caller or the flow says.
/// `false` is a value, so this is none for `//`.
std::string program_of(const flow_component& x, const std::vector<arrival>& arrivals,
                       const std::string& output, const std::string& name) {
  auto values = to_json(field_of(x, "input_value"));
  auto is_alone = arrivals.empty() && x.type != "ChatInput";
  if (x.type == "ChatInput")
    values += ", .job.input_value?";
  for (auto& a : arrivals)
    values += ", .[" + literal(a.port) + "][" + literal(a.output) + "]";
  auto text = is_alone ? values : "([" + values + "] | map(select(. != null)) | last)";
  return "{" + literal(output) + ": " + text + "}" + told(component_mark, x.id == name ? "" : x.id)
         + told(group_mark, x.group);
}

/// The fields of a component as a worker gets them. Source code and secrets stay behind.
void add_fields(const flow_component& x, value& to) {
  auto& fields = to["fields"] = value::object{};
  auto& variables = to["variables"] = value::object{};
  auto all = x.fields();
  if (!all || !all->members())
    return;
  auto is_set = [](const value& field, std::string_view key) {
    auto found = field.find(key);
    return found && found->boolean() && *found->boolean();
  };
  for (auto& [name, field] : *all->members()) {
    auto found = field.find("value");
    if (!found || found->is_null() || name == "code")
      continue;
    if (is_set(field, "load_from_db"))
      variables[name] = *found;
    else if (!is_set(field, "password"))
      fields[name] = *found;
  }
}

value arguments_of(const flow_component& x, const std::vector<arrival>& arrivals) {
  value::list inputs, outputs;
  for (auto& a : arrivals)
    inputs.push_back(value::object{
        {"field", a.link->field}, {"port", a.port}, {"from", a.link->from}, {"output", a.output}});
  for (auto& name : x.outputs())
    outputs.emplace_back(name);
  value all = value::object{{"component", x.id},
                            {"type", x.type},
                            {"inputs", std::move(inputs)},
                            {"outputs", std::move(outputs)}};
  if (!x.group.empty())
    all["group"] = x.group;
  add_fields(x, all);
  return all;
}

class flow_importer {
public:
  flow_importer(const flow_document& flow, const langflow_options& options)
      : flow_(flow), options_(options) {
    for (auto& x : flow.links)
      arriving_[x.to].push_back(&x);
    for (auto& x : flow.components)
      names_.reserve(x.id);
    for (auto& x : flow.components) {
      name_[x.id] = names_.give(x.id);
      auto outputs = x.outputs();
      first_output_[x.id] = outputs.empty() ? "output" : outputs.front();
    }
  }

  graph_spec graph() {
    auto& title = flow_.name.empty() ? options_.name : flow_.name;
    if (!title.empty())
      graph_.name = name_of(title);
    for (auto& x : flow_.components)
      add(x);
    return std::move(graph_);
  }

  /// Where the links of the graph's edges stand in the document.
  const std::vector<std::string>& edge_places() const noexcept { return places_; }

private:
  void add(const flow_component& x) {
    auto arrivals = arrivals_of(arriving_[x.id], first_output_);
    vertex_spec v;
    v.id = name_[x.id];
    if (is_input(x.type) || is_output(x.type)) {
      v.kind = "jq";
      v.config = value::object{{"program", program_of(x, arrivals, first_output_[x.id], v.id)}};
    } else {
      v.kind = "worker";
      v.config = value::object{{"task", name_of(x.type)}, {"arguments", arguments_of(x, arrivals)}};
    }
    if (options_.keep_going)
      v.on_error = on_error_policy::continue_on;
    if (!arrivals.empty())
      v.inputs.clear();
    for (auto& a : arrivals)
      v.inputs.emplace(a.port, arity::one);
    if (is_output(x.type))
      graph_.result.push_back(v.id);
    graph_.vertices.push_back(std::move(v));
    for (auto& a : arrivals)
      connect(a);
  }

  void connect(const arrival& a) {
    edge_spec e;
    e.from = name_[a.link->from];
    e.to = name_[a.link->to];
    e.to_port = a.port;
    std::string path;
    core::append_step(path, a.output);
    e.when = value::object{{"path", path}, {"exists", true}};
    graph_.edges.push_back(std::move(e));
    places_.push_back(a.link->place);
  }

  const flow_document& flow_;
  const langflow_options& options_;
  name_giver names_;
  std::map<std::string, std::vector<const flow_link*>> arriving_;
  std::map<std::string, std::string> name_, first_output_;
  graph_spec graph_;
  std::vector<std::string> places_;
};

/// A problem of the graph as one of the flow.
problem in_flow(problem x, const std::vector<std::string>& edge_places) {
  constexpr std::string_view edges = "/edges/";
  if (x.code != "cycle")
    return x;
  x.code = "cyclic_flow";
  x.detail = "the flow has a loop, which cannot be run yet: " + x.detail;
  if (x.pointer.starts_with(edges))
    if (auto i = std::strtoul(x.pointer.c_str() + edges.size(), nullptr, 10);
        i < edge_places.size())
      x.pointer = edge_places[i];
  return x;
}

/// Marks all that can be reached from `from` along, or against, the edges.
void mark(const graph_spec& graph, bool along, std::set<std::string>& marked) {
  std::multimap<std::string_view, const std::string*> next;
  for (auto& e : graph.edges)
    next.emplace(along ? e.from : e.to, along ? &e.to : &e.from);
  std::vector<std::string> todo{marked.begin(), marked.end()};
  while (!todo.empty()) {
    auto id = std::move(todo.back());
    todo.pop_back();
    for (auto [at, end] = next.equal_range(id); at != end; ++at)
      if (marked.insert(*at->second).second)
        todo.push_back(*at->second);
  }
}

void keep_only(graph_spec& graph, const std::set<std::string>& marked) {
  auto gone = [&](const std::string& id) { return !marked.contains(id); };
  std::erase_if(graph.vertices, [&](auto& v) { return gone(v.id); });
  std::erase_if(graph.edges, [&](auto& e) { return gone(e.from) || gone(e.to); });
  std::erase_if(graph.result, gone);
  std::set<std::pair<std::string_view, std::string_view>> used;
  for (auto& e : graph.edges)
    used.emplace(e.to, e.to_port);
  for (auto& v : graph.vertices) { // A port that nothing leads to is none that the vertex needs.
    std::erase_if(v.inputs, [&](auto& port) {
      return port.first != "in" && !used.contains({v.id, port.first});
    });
    if (v.inputs.empty())
      v.inputs = vertex_spec{}.inputs;
  }
}

/// What an imported vertex tells of its component.
std::string told_of(const vertex_spec& x, std::string_view mark, std::string_view argument) {
  if (x.kind == "jq")
    return told_in(text_in(&x.config, "program"), mark);
  return x.kind == "worker" ? text_in(x.config.find("arguments"), argument) : "";
}

/// The vertices that `id` stands for: a component, whatever its vertex is called, or a vertex, or
/// all that is in a group.
std::set<std::string> named(const graph_spec& graph, const std::string& id) {
  std::set<std::string> component, vertex, group;
  for (auto& v : graph.vertices) {
    if (told_of(v, component_mark, "component") == id)
      component.insert(v.id);
    if (v.id == id)
      vertex.insert(v.id);
    if (group_of(v) == id)
      group.insert(v.id);
  }
  return !component.empty() ? component : !vertex.empty() ? vertex : group;
}

bool has_base_name(std::string_view vertex, std::string_view base) noexcept {
  return vertex.substr(0, vertex.find('-')) == base;
}

} // namespace

std::string group_of(const vertex_spec& x) {
  if (x.kind == "worker" && told_of(x, component_mark, "component").empty())
    return "";
  return told_of(x, group_mark, "group");
}

bool is_chat_input(std::string_view vertex) noexcept { return has_base_name(vertex, "ChatInput"); }
bool is_chat_output(std::string_view vertex) noexcept {
  return has_base_name(vertex, "ChatOutput");
}

parsed_graph import_langflow(const value& flow, const langflow_options& options) {
  problem_list out;
  auto document = read_langflow(flow, out);
  parsed_graph parsed;
  if (!out.is_empty()) {
    parsed.errors = out.release();
    return parsed;
  }
  flow_importer importer{document, options};
  parsed.spec = importer.graph();
  for (auto& x : core::check(parsed.spec, core::builtin_kinds()))
    parsed.errors.push_back(in_flow(std::move(x), importer.edge_places()));
  return parsed;
}

std::optional<graph_spec> part_of(const graph_spec& graph, const std::string& start,
                                  const std::string& stop) {
  auto part = graph;
  for (auto& [id, along] : {std::pair{&stop, false}, {&start, true}}) {
    if (id->empty())
      continue;
    auto marked = named(graph, *id);
    if (marked.empty())
      return {};
    if (along)
      mark(part, true, marked);
    mark(part, false, marked);
    keep_only(part, marked);
  }
  return part.vertices.empty() ? std::optional<graph_spec>{} : std::move(part);
}

} // namespace troupe::graph_json
