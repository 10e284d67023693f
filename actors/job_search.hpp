#pragma once

#include "actors/graph_store.hpp"
#include "storage/view.hpp"

#include <map>

namespace troupe::actors {

/// Rows of a shard that one page of a search looks at: each may lead to a graph on the disk.
inline constexpr std::size_t search_scan_max = 1000;

/// The names of graphs, each looked up once. For one request.
class graph_names {
public:
  explicit graph_names(graph_store& from) : from_(from) {}

  /// Empty if the graph has none, or cannot be read.
  const std::string& of(namespace_id ns, const graph_id& id);

private:
  graph_store& from_;
  std::map<std::pair<namespace_id, graph_id>, std::string> known_;
};

/// Whether `part` stands in `text`, letters of ASCII in either case. Pure.
bool has_text(std::string_view text, std::string_view part) noexcept;

/// Makes a query show only jobs that `job_filter::text` means; an empty one changes nothing.
/// `names` must outlive it.
void search_for(const std::string& text, graph_names& names, storage::job_query& query);

} // namespace troupe::actors
