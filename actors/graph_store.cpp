#include "actors/graph_store.hpp"

#include "graph_json/graph_json.hpp"

namespace troupe::actors {

namespace {

constexpr std::size_t graphs_kept_max = 256;
constexpr std::size_t graph_bytes_max = std::size_t{1} << 30;

core::byte_view view_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The graph, which holds its blob from here on.
std::shared_ptr<const core::graph> holding(std::shared_ptr<const core::graph> g,
                                           storage::blob_pin pin) {
  struct held {
    std::shared_ptr<const core::graph> graph;
    storage::blob_pin pin;
  };
  auto x = std::make_shared<held>(held{std::move(g), std::move(pin)});
  return {x, x->graph.get()};
}

error no_such_graph(const graph_id& id) {
  return {ec::no_such_graph, "no graph " + to_string(id) + " is registered here"};
}

} // namespace

result<storage::blob_pin> keep_new(storage::blob_store& blobs, const graph_store::room& has_room,
                                   namespace_id ns, core::byte_view data, std::size_t bytes_max) {
  auto room = has_room ? has_room() : status{};
  if (room)
    return blobs.keep(ns, data, bytes_max);
  auto there = blobs.pin(ns, storage::sha256(data));
  return there.code() == ec::blob_missing ? room.error() : std::move(there);
}

result<graph_id> graph_store::add(namespace_id ns, const graph_spec& spec) {
  auto id = graph_json::id_of(spec);
  auto found = cached({ns, id});
  if (found && clock::now() - found->held < limits::blob_age_min)
    return id;
  auto stored =
      keep_new(*blobs_, has_room_, ns, view_of(graph_json::canonical_json(spec)), graph_bytes_max);
  if (!stored)
    return stored.error();
  assert(stored->name() == id.sha256);
  keep({ns, id}, holding(found ? found->graph : core::compile(spec, id), std::move(*stored)));
  return id;
}

result<std::shared_ptr<const core::graph>> graph_store::find(namespace_id ns, const graph_id& id) {
  if (auto found = cached({ns, id}))
    return found->graph;
  auto held = blobs_->pin(ns, id.sha256);
  if (held.code() == ec::blob_missing)
    return no_such_graph(id);
  if (!held && held.code() != ec::unsupported) // Whoever only reads holds nothing.
    return held.error();
  auto written = spec(ns, id);
  if (!written)
    return written.error();
  auto compiled = core::compile(*written, id);
  if (held)
    compiled = holding(std::move(compiled), std::move(*held));
  keep({ns, id}, compiled);
  return compiled;
}

result<graph_spec> graph_store::spec(namespace_id ns, const graph_id& id) {
  auto text = blobs_->get(ns, id.sha256);
  if (!text && text.code() == ec::blob_missing)
    return no_such_graph(id);
  if (!text)
    return text.error();
  auto parsed =
      graph_json::parse_graph({reinterpret_cast<const char*>(text->data()), text->size()});
  if (!parsed.errors.empty())
    return error{ec::no_such_graph, "what is stored as " + to_string(id)
                                        + " is no graph: " + parsed.errors.front().detail};
  return std::move(parsed.spec);
}

std::optional<graph_store::entry> graph_store::cached(const key& k) {
  std::scoped_lock lock{mutex_};
  auto found = graphs_.find(k);
  return found == graphs_.end() ? std::nullopt : std::optional{found->second};
}

void graph_store::keep(const key& k, const std::shared_ptr<const core::graph>& g) {
  std::scoped_lock lock{mutex_};
  if (!graphs_.insert_or_assign(k, entry{g, clock::now()}).second)
    return;
  order_.push_back(k);
  if (order_.size() > graphs_kept_max) {
    graphs_.erase(order_.front());
    order_.pop_front();
  }
}

} // namespace troupe::actors
