#pragma once

#include "core/graph.hpp"
#include "storage/blob_store.hpp"
#include "troupe/error.hpp"

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace troupe::actors {

/// Graphs by content: durable as blobs, compiled ones kept in memory. A compiled graph of a store
/// that is open for writing holds its blob: as long as anyone has it no sweep removes that.
/// Thread-safe.
class graph_store {
public:
  /// Tells whether there is room for what new jobs bring.
  using room = std::function<status()>;

  explicit graph_store(std::shared_ptr<storage::blob_store> blobs, room has_room = {})
      : blobs_(std::move(blobs)), has_room_(std::move(has_room)) {}

  /// Makes a graph that `core::check` found nothing wrong with durable. Blocks on the disk the
  /// first time. Errors: `io_failed`, `no_space`, `too_large`.
  result<graph_id> add(namespace_id ns, const graph_spec& spec);

  /// The compiled graph. Errors: `no_such_graph`, `journal_corrupt`, `io_failed`.
  result<std::shared_ptr<const core::graph>> find(namespace_id ns, const graph_id& id);

  /// The graph as it was written. Errors: as `find`.
  result<graph_spec> spec(namespace_id ns, const graph_id& id);

private:
  using key = std::pair<namespace_id, graph_id>;
  using clock = std::chrono::steady_clock;
  struct entry {
    std::shared_ptr<const core::graph> graph;
    clock::time_point held; ///< Its blob became as young as a new one.
  };

  std::optional<entry> cached(const key& k);
  void keep(const key& k, const std::shared_ptr<const core::graph>& g);

  std::shared_ptr<storage::blob_store> blobs_;
  room has_room_;
  std::mutex mutex_;
  std::map<key, entry> graphs_;
  std::list<key> order_; ///< Of arrival: the oldest goes first.
};

/// Keeps a blob that something new brings. On a disk without room for that it must be there
/// already. Errors: those of `blob_store::keep` and of `has_room`.
result<storage::blob_pin> keep_new(storage::blob_store& blobs, const graph_store::room& has_room,
                                   namespace_id ns, core::byte_view data, std::size_t bytes_max);

} // namespace troupe::actors
