#include "graph_json/langflow_reader.hpp"

#include "core/json_pointer.hpp"
#include "core/names.hpp"
#include "graph_json/value_json.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

namespace troupe::graph_json {

namespace {

using core::at;

/// The handle of an edge's end: an object, or text in which `œ` stands for the quotes of JSON.
value handle_of(const value& edge, std::string_view key) {
  if (auto data = edge.find("data"))
    if (auto handle = data->find(key); handle && handle->members())
      return *handle;
  auto text = text_in(&edge, key);
  constexpr std::string_view quote = "\u0153";
  for (auto i = text.find(quote); i != text.npos; i = text.find(quote, i))
    text.replace(i, quote.size(), "\"");
  auto parsed = parse_value(text);
  return parsed && parsed->members() ? std::move(*parsed) : value{value::object{}};
}

std::vector<std::string> texts_in(const value* list) {
  std::vector<std::string> all;
  if (list && list->items())
    for (auto& x : *list->items())
      if (x.string())
        all.push_back(*x.string());
  return all;
}

/// Whether what one handle gives is what the other takes, as far as both say.
bool fits(const value& source, const value& target) {
  auto gives = texts_in(source.find("output_types"));
  auto type = text_in(&target, "type");
  if (gives.empty() || target.find("name") || type.empty())
    return true;
  auto list = texts_in(target.find("inputTypes"));
  std::set<std::string> takes(list.begin(), list.end());
  takes.insert(type);
  return std::ranges::any_of(gives, [&](auto& x) { return takes.contains(x); });
}

class reader {
public:
  reader(flow_document& to, problem_list& out) : to_(to), out_(out) {}

  void read(const value& flow, const std::string& place, std::size_t depth) {
    auto nodes = list_in(flow, place, "nodes"), edges = list_in(flow, place, "edges");
    for (std::size_t i = 0; nodes && i < nodes->size(); ++i)
      read_node((*nodes)[i], at(place, "nodes", i), depth);
    for (std::size_t i = 0; edges && i < edges->size(); ++i)
      read_edge((*edges)[i], at(place, "edges", i));
  }

  /// All is read: groups become what is in them, and every end of a link must be there.
  void finish() {
    std::vector<flow_link> all = std::exchange(to_.links, {});
    for (auto& x : all) {
      for (std::size_t i = 0; i < flow_depth_max && exits_.contains(x.from); ++i)
        x.from = exits_[x.from];
      auto known = is_known(x.from, x) && is_known(x.to, x);
      if (known && seen_.emplace(x.from, x.output, x.to, x.field).second)
        to_.links.push_back(std::move(x));
    }
  }

private:
  void report(const char* code, const std::string& place, std::string detail) {
    out_.add(code, json_place{place}, std::move(detail));
  }

  const value::list* list_in(const value& flow, const std::string& place, std::string_view key) {
    auto found = flow.find(key);
    if (!found)
      out_.missing_key(json_place{place}, key);
    else if (!found->items())
      out_.wrong_type(json_place{at(place, key)}, *found, "a list");
    return found ? found->items() : nullptr;
  }

  void read_node(const value& x, const std::string& place, std::size_t depth) {
    auto type = text_in(&x, "type");
    if (!type.empty() && type != "genericNode")
      return; // A note, or a picture.
    auto data = x.find("data");
    auto id = text_in(&x, "id");
    if (id.empty())
      id = text_in(data, "id");
    if (!data || id.empty())
      return report("missing_key", place, "a node needs `id` and `data`");
    auto node = data->find("node");
    auto flow = node ? node->find("flow") : nullptr;
    if (flow && flow->members())
      return read_group(id, *flow, at(place, "data", "node", "flow"), depth);
    if (!ids_.insert(id).second)
      return report("duplicate_component", place, "another node has the id " + core::quoted(id));
    auto component = text_in(data, "type");
    if (component.empty())
      component = id.substr(0, id.find('-'));
    to_.components.push_back({std::move(id), std::move(component), place, node, group_});
  }

  /// What is in a group takes its place; its output is that of the component that feeds no other.
  void read_group(const std::string& id, const value& flow, const std::string& place,
                  std::size_t depth) {
    if (depth == flow_depth_max)
      return report("too_deep", place,
                    "groups are nested deeper than " + std::to_string(flow_depth_max));
    auto data = flow.find("data");
    auto first = to_.components.size(), first_link = to_.links.size();
    if (depth == 0)
      group_ = id;
    read(data ? *data : flow, data ? at(place, "data") : place, depth + 1);
    if (depth == 0)
      group_.clear();
    std::set<std::string_view> feeding;
    for (auto i = first_link; i < to_.links.size(); ++i)
      feeding.insert(to_.links[i].from);
    for (auto i = first; i < to_.components.size(); ++i)
      if (!feeding.contains(to_.components[i].id))
        exits_.try_emplace(id, to_.components[i].id);
  }

  void read_edge(const value& x, const std::string& place) {
    auto source = handle_of(x, "sourceHandle"), target = handle_of(x, "targetHandle");
    flow_link link{text_in(&x, "source"), text_in(&source, "name"), text_in(&x, "target"),
                   text_in(&target, "fieldName"), place};
    if (link.field.empty())
      link.field = text_in(&target, "name"); // It leads back into a loop.
    if (auto proxy = target.find("proxy"); proxy && proxy->members()) {
      link.to = text_in(proxy, "id");
      link.field = text_in(proxy, "field");
    }
    if (link.field.empty())
      return report("bad_handle", place, "it does not say to which field it leads");
    if (!fits(source, target))
      return report("bad_handle", place,
                    "the edge between " + core::quoted(link.from) + " and " + core::quoted(link.to)
                        + " has invalid handles");
    to_.links.push_back(std::move(link));
  }

  bool is_known(const std::string& id, const flow_link& x) {
    if (!ids_.contains(id))
      report("unknown_component", x.place, "vertex " + core::quoted(id) + " not found");
    return ids_.contains(id);
  }

  flow_document& to_;
  problem_list& out_;
  std::string group_; ///< What is being read is in this one; empty: in none.
  std::set<std::string> ids_;
  std::set<std::tuple<std::string, std::string, std::string, std::string>> seen_; ///< Links.
  std::map<std::string, std::string> exits_;                                      ///< Of groups.
};

} // namespace

std::string text_in(const value* object, std::string_view key) {
  auto found = object ? object->find(key) : nullptr;
  return found && found->string() ? *found->string() : "";
}

std::vector<std::string> flow_component::outputs() const {
  std::vector<std::string> names;
  auto list = node ? node->find("outputs") : nullptr;
  if (list && list->items())
    for (auto& x : *list->items())
      if (auto name = text_in(&x, "name"); !name.empty())
        names.push_back(std::move(name));
  return names;
}

flow_document read_langflow(const value& from, problem_list& out) {
  flow_document all;
  all.name = text_in(&from, "name");
  auto data = from.find("data");
  auto& flow = data && data->members() ? *data : from;
  std::string place = data && data->members() ? "/data" : "";
  if (!flow.find("nodes") && !flow.find("edges")) {
    out.add("not_langflow", json_place{place},
            "a flow is an object with `nodes` and `edges`, or with these below `data`");
    return all;
  }
  reader x{all, out};
  x.read(flow, place, 0);
  x.finish();
  return all;
}

} // namespace troupe::graph_json
