#include "node/http/graph_door.hpp"

#include "core/admission.hpp"
#include "core/names.hpp"
#include "graph_json/graph_json.hpp"

#include <set>

namespace troupe::http {

namespace {

constexpr std::size_t graphs_kept_max = 256; // No more than the runtime keeps compiled.

graph_trouble kind_trouble(problems found, const std::string& kind) {
  return {refusal::kind_not_allowed,
          {ec::invalid_spec, "the kind " + core::quoted(kind) + " may not come over HTTP"},
          std::move(found)};
}

known_graph about(const graph_id& id, const graph_spec& spec) {
  std::set<std::string> kinds;
  for (auto& v : spec.vertices)
    kinds.insert(v.kind);
  return {id, spec.name, {kinds.begin(), kinds.end()}};
}

/// That a graph is not larger than one that comes in a request may be.
status check_vertices(const graph_spec& spec) {
  if (spec.vertices.size() <= limits::http_graph_vertices_max)
    return {};
  return error{ec::too_large, "the graph has " + std::to_string(spec.vertices.size())
                                  + " vertices, over HTTP allowed are "
                                  + std::to_string(limits::http_graph_vertices_max)};
}

} // namespace

result<graph_spec> read_graph(runtime& node, namespace_id ns, const graph_id& id) {
  auto blob = node.blob(blob_id{id.sha256}, ns);
  if (blob && blob->bytes() > stored_graph_bytes_max)
    return error{ec::too_large, "what is stored as " + to_string(id) + " has "
                                    + std::to_string(blob->bytes())
                                    + " bytes; over HTTP a graph has at most "
                                    + std::to_string(stored_graph_bytes_max)};
  return node.graph(id, ns); // It knows the word for one that is not there.
}

/// A known graph, unless a kind of it may not come now.
std::variant<known_graph, graph_trouble> graph_door::judged(const known_graph& x) const {
  for (auto& kind : x.kinds)
    if (allows_ && !allows_(kind))
      return kind_trouble({{"kind_not_allowed", "/graph", "it has vertices of this kind"}}, kind);
  return x;
}

std::optional<known_graph> graph_door::cached(const key& k) {
  std::scoped_lock lock{mutex_};
  auto found = known_.find(k);
  return found == known_.end() ? std::optional<known_graph>{} : found->second;
}

void graph_door::keep(const key& k, const known_graph& x) {
  std::scoped_lock lock{mutex_};
  if (!known_.emplace(k, x).second)
    return;
  order_.push_back(k);
  if (order_.size() > graphs_kept_max) {
    known_.erase(order_.front());
    order_.pop_front();
  }
}

/// All that is wrong with a graph; its places lead into a request.
std::optional<graph_trouble> graph_door::trouble_of(const job_request& from) const {
  auto& spec = *from.graph;
  auto wrong = node_.check(spec);
  for (auto& x : wrong)
    x.pointer = from.graph_at + x.pointer;
  if (!wrong.empty())
    return graph_trouble{{}, {ec::invalid_spec, "the graph is not valid"}, std::move(wrong)};
  return kind_trouble_of(from);
}

/// The vertices of a graph that may not come.
std::optional<graph_trouble> graph_door::kind_trouble_of(const job_request& from) const {
  auto& spec = *from.graph;
  problems wrong;
  std::string refused;
  for (std::size_t i = 0; allows_ && i < spec.vertices.size(); ++i)
    if (auto& kind = spec.vertices[i].kind; !allows_(kind)) {
      refused = kind;
      if (wrong.size() < limits::graph_problems_max)
        wrong.push_back({"kind_not_allowed",
                         from.graph_at + "/vertices/" + std::to_string(i) + "/kind",
                         "the kind " + core::quoted(kind) + " may not come over HTTP"});
    }
  if (refused.empty())
    return {};
  return kind_trouble(std::move(wrong), refused);
}

std::variant<known_graph, graph_trouble> graph_door::add(namespace_id ns, const job_request& from) {
  if (auto wrong = trouble_of(from))
    return std::move(*wrong);
  auto id = node_.add_graph(*from.graph, ns);
  if (!id) {
    if (rejected_
        && core::is_for_want_of_room(id.code())) // A job that is refused is counted elsewhere.
      rejected_(to_string(id.code()));
    return graph_trouble{{}, id.error(), {}};
  }
  auto x = about(*id, *from.graph);
  keep({ns, *id}, x);
  return x;
}

std::optional<std::variant<known_graph, graph_trouble>> graph_door::find(namespace_id ns,
                                                                         const job_request& from) {
  auto id = from.graph ? graph_json::id_of(*from.graph) : from.spec.graph;
  auto known = cached({ns, id});
  if (!known)
    return {};
  if (!from.graph)
    return judged(*known);
  if (auto wrong = kind_trouble_of(from)) // All else was looked at when it came first.
    return std::move(*wrong);
  return *known;
}

std::variant<known_graph, graph_trouble> graph_door::resolve(namespace_id ns,
                                                             const job_request& from) {
  if (from.graph)
    return add(ns, from);
  auto spec = read_graph(node_, ns, from.spec.graph);
  if (!spec)
    return graph_trouble{{}, spec.error(), {}};
  if (auto small = check_vertices(*spec); !small)
    return graph_trouble{{}, small.error(), {}};
  // It may have come as a blob, which nobody has looked at.
  if (auto wrong = node_.check(*spec); !wrong.empty())
    return graph_trouble{{}, {ec::invalid_spec, "the graph is not valid"}, std::move(wrong)};
  auto x = about(from.spec.graph, *spec);
  keep({ns, x.id}, x);
  return judged(x);
}

response graph_answer(const graph_trouble& x) {
  return x.what ? problem_answer(*x.what, x.why.detail, x.found) : problem_answer(x.why, x.found);
}

} // namespace troupe::http
