#pragma once

#include "core/graph.hpp"
#include "storage/backup_blobs.hpp"

#include <list>
#include <map>

namespace troupe::storage {

/// Compiles the canonical text of a graph whose id is `id`. Errors: `journal_corrupt` if the text
/// is not that graph.
using graph_reader =
    std::function<result<std::shared_ptr<const core::graph>>(const graph_id& id, core::byte_view)>;

/// The graphs that checks need, by content; those used lately stay in memory, by the number of
/// their vertices. For one thread.
class graph_cache {
public:
  using found = result<std::shared_ptr<const core::graph>>;

  graph_cache(file_ops& files, const blob_files& blobs, graph_reader reader)
      : files_(files), blobs_(blobs), reader_(std::move(reader)) {}

  /// Errors: `blob_missing`, `journal_corrupt`, `io_failed`.
  found find(namespace_id ns, const graph_id& id);

private:
  using key = std::pair<namespace_id, graph_id>;
  struct entry {
    key of;
    found graph;
    std::size_t cost;
  };

  found load(namespace_id ns, const graph_id& id) const;

  file_ops& files_;
  const blob_files& blobs_;
  graph_reader reader_;
  std::list<entry> newest_first_;
  std::map<key, std::list<entry>::iterator> entries_;
  std::size_t cost_ = 0;
};

} // namespace troupe::storage
