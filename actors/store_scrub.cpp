#include "actors/store_scrub.hpp"

#include "graph_json/graph_json.hpp"

namespace troupe::actors {

storage::graph_reader stored_graphs() {
  return [](const graph_id& id,
            core::byte_view text) -> result<std::shared_ptr<const core::graph>> {
    auto parsed =
        graph_json::parse_graph({reinterpret_cast<const char*>(text.data()), text.size()});
    if (!parsed.errors.empty())
      return error{ec::journal_corrupt,
                   "graph " + to_string(id) + " cannot be read: " + parsed.errors.front().detail};
    return core::compile(parsed.spec, id);
  };
}

std::unique_ptr<storage::scrubber> start_scrub(const store& of,
                                               std::function<void(const std::string&)> report) {
  if (!of.directory || !of.tables)
    return nullptr;
  storage::scrub_parts parts;
  parts.tables = of.tables;
  parts.files = &of.directory->files();
  parts.blobs = of.directory->blobs_path();
  parts.shards = of.directory->about().shards;
  parts.graphs = stored_graphs();
  if (report)
    parts.report = [report = std::move(report)](const storage::finding& x) {
      report(std::string{"damage in the store: "} + to_string(x.kind) + ": " + x.where + ": "
             + x.what + "; run `troupe verify --online`");
    };
  auto made = std::make_unique<storage::scrubber>(std::move(parts));
  made->start();
  return made;
}

} // namespace troupe::actors
