#include "actors/graph_store.hpp"

#include "graph_json/graph_json.hpp"

namespace troupe::actors {

namespace {

constexpr std::size_t graphs_kept_max = 256;
constexpr std::size_t graph_bytes_max = std::size_t{1} << 30;

core::byte_view view_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

} // namespace

result<graph_id> graph_store::add(namespace_id ns, const graph_spec& spec) {
  auto id = graph_json::id_of(spec);
  if (cached({ns, id}))
    return id;
  auto stored = blobs_->put(ns, view_of(graph_json::canonical_json(spec)), graph_bytes_max);
  if (!stored)
    return stored.error();
  assert(*stored == id.sha256);
  keep({ns, id}, core::compile(spec, id));
  return id;
}

result<std::shared_ptr<const core::graph>> graph_store::find(namespace_id ns, const graph_id& id) {
  if (auto found = cached({ns, id}))
    return found;
  auto written = spec(ns, id);
  if (!written)
    return written.error();
  auto compiled = core::compile(*written, id);
  keep({ns, id}, compiled);
  return compiled;
}

result<graph_spec> graph_store::spec(namespace_id ns, const graph_id& id) {
  auto text = blobs_->get(ns, id.sha256);
  if (!text && text.code() == ec::blob_missing)
    return error{ec::no_such_graph, "no graph " + to_string(id) + " is registered here"};
  if (!text)
    return text.error();
  auto parsed =
      graph_json::parse_graph({reinterpret_cast<const char*>(text->data()), text->size()});
  if (!parsed.errors.empty())
    return error{ec::journal_corrupt, "the stored graph " + to_string(id)
                                          + " cannot be read: " + parsed.errors.front().detail};
  return std::move(parsed.spec);
}

std::shared_ptr<const core::graph> graph_store::cached(const key& k) {
  std::scoped_lock lock{mutex_};
  auto found = graphs_.find(k);
  return found == graphs_.end() ? nullptr : found->second;
}

void graph_store::keep(const key& k, std::shared_ptr<const core::graph> g) {
  std::scoped_lock lock{mutex_};
  if (!graphs_.emplace(k, std::move(g)).second)
    return;
  order_.push_back(k);
  if (order_.size() > graphs_kept_max) {
    graphs_.erase(order_.front());
    order_.pop_front();
  }
}

} // namespace troupe::actors
