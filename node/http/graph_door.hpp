#pragma once

#include "node/http/job_request.hpp"
#include "node/http/problem.hpp"
#include "troupe/runtime.hpp"

#include <deque>
#include <mutex>
#include <variant>

namespace troupe::http {

/// Of a stored graph that is read for a request. A larger one comes from elsewhere, and is used
/// there.
inline constexpr std::uint64_t stored_graph_bytes_max = 64 << 20;

/// A stored graph. Blocks on the disk. Errors: those of `runtime::graph`, `too_large`.
result<graph_spec> read_graph(runtime& node, namespace_id ns, const graph_id& id);

/// What is known of a graph.
struct known_graph {
  graph_id id{};
  std::string name;
  std::vector<std::string> kinds; ///< Of its vertices, each once.
};

/// Why a graph cannot be used: a refusal of this interface, or an error, with places.
struct graph_trouble {
  std::optional<refusal> what;
  error why = ec::invalid_spec;
  problems found;
};

/// The way of graphs from requests into the runtime. Which kinds may come is asked each time: it
/// changes while a node runs. Thread-safe.
class graph_door {
public:
  /// `allows` may be unset: then every kind may come. `rejected` is told of each graph that there
  /// was no room for, with the word for that; it may be unset.
  graph_door(runtime& node, std::function<bool(std::string_view)> allows,
             std::function<void(std::string_view)> rejected)
      : node_(node), allows_(std::move(allows)), rejected_(std::move(rejected)) {}

  /// The graph of a request, if it is known already: does not touch the disk. Else nothing. It may
  /// have been deleted since: then submitting answers `no_such_graph`, and `resolve` helps.
  std::optional<std::variant<known_graph, graph_trouble>> find(namespace_id ns,
                                                               const job_request& from);
  /// The same; makes it durable, or looks for it on the disk.
  std::variant<known_graph, graph_trouble> resolve(namespace_id ns, const job_request& from);

private:
  using key = std::pair<namespace_id, graph_id>;

  std::variant<known_graph, graph_trouble> judged(const known_graph& x) const;
  std::optional<known_graph> cached(const key& k);
  void keep(const key& k, const known_graph& x);
  std::optional<graph_trouble> trouble_of(const job_request& from) const;
  std::optional<graph_trouble> kind_trouble_of(const job_request& from) const;
  std::variant<known_graph, graph_trouble> add(namespace_id ns, const job_request& from);

  runtime& node_;
  std::function<bool(std::string_view)> allows_;
  std::function<void(std::string_view)> rejected_;
  std::mutex mutex_;
  std::map<key, known_graph> known_;
  std::deque<key> order_; ///< Of arrival: the oldest goes first.
};

/// The answer to what is in the way of a graph.
response graph_answer(const graph_trouble& x);

} // namespace troupe::http
