#include "storage/verify_graphs.hpp"

#include "troupe/limits.hpp"

namespace troupe::storage {

namespace {

constexpr std::size_t cost_of_any = 64; ///< Also of a graph that is not there.

} // namespace

graph_cache::found graph_cache::find(namespace_id ns, const graph_id& id) {
  key of{ns, id};
  if (auto there = entries_.find(of); there != entries_.end()) {
    newest_first_.splice(newest_first_.begin(), newest_first_, there->second);
    return there->second->graph;
  }
  auto graph = load(ns, id);
  auto cost = cost_of_any + (graph ? (*graph)->size() : 0);
  newest_first_.push_front({of, graph, cost});
  entries_[of] = newest_first_.begin();
  for (cost_ += cost; cost_ > limits::verify_graph_vertices && newest_first_.size() > 1;) {
    cost_ -= newest_first_.back().cost;
    entries_.erase(newest_first_.back().of);
    newest_first_.pop_back();
  }
  return graph;
}

graph_cache::found graph_cache::load(namespace_id ns, const graph_id& id) const {
  auto path = blobs_.path_of(ns, id.sha256);
  auto text = read_file(files_, path);
  if (!text)
    return text.error();
  if (!*text)
    return error{ec::blob_missing, path.string() + " is gone"};
  if (sha256(**text) != id.sha256)
    return error{ec::journal_corrupt, path.string() + " does not fit its name"};
  return reader_(id, **text);
}

} // namespace troupe::storage
