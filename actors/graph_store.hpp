#pragma once

#include "core/graph.hpp"
#include "storage/blob_store.hpp"
#include "troupe/error.hpp"

#include <list>
#include <map>
#include <memory>
#include <mutex>

namespace troupe::actors {

/// Graphs by content: durable as blobs, compiled ones kept in memory. Thread-safe.
class graph_store {
public:
  explicit graph_store(std::shared_ptr<storage::blob_store> blobs) : blobs_(std::move(blobs)) {}

  /// Makes a graph that `core::check` found nothing wrong with durable. Blocks on the disk the
  /// first time. Errors: `io_failed`, `no_space`, `too_large`.
  result<graph_id> add(namespace_id ns, const graph_spec& spec);

  /// The compiled graph. Errors: `no_such_graph`, `journal_corrupt`, `io_failed`.
  result<std::shared_ptr<const core::graph>> find(namespace_id ns, const graph_id& id);

  /// The graph as it was written. Errors: as `find`.
  result<graph_spec> spec(namespace_id ns, const graph_id& id);

private:
  using key = std::pair<namespace_id, graph_id>;

  std::shared_ptr<const core::graph> cached(const key& k);
  void keep(const key& k, std::shared_ptr<const core::graph> g);

  std::shared_ptr<storage::blob_store> blobs_;
  std::mutex mutex_;
  std::map<key, std::shared_ptr<const core::graph>> graphs_;
  std::list<key> order_; ///< Of arrival: the oldest goes first.
};

} // namespace troupe::actors
