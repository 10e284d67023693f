#include "actors/runtime_impl.hpp"
#include "core/payload.hpp"
#include "graph_json/graph_json.hpp"
#include "storage/blob_errors.hpp"

/// The part of `runtime` that hands blobs in and out, and lists graphs, which are blobs, too.
namespace troupe {

namespace {

constexpr std::size_t names_page_max = 1000;           ///< Blobs that one page of graphs looks at,
constexpr std::uint64_t graphs_page_bytes = 16u << 20; ///< and what it reads of them, or one.
constexpr std::uint64_t listed_graph_bytes_max = 64u << 20; ///< Larger blobs are not looked at.

/// One page of graphs, found among all blobs.
class graph_scan {
public:
  graph_scan(storage::blob_store& blobs, namespace_id ns, std::size_t limit)
      : blobs_(blobs), ns_(ns), limit_(limit) {}

  result<graph_list> page(std::optional<storage::sha256_digest> after) {
    auto names = blobs_.names(ns_, after, names_page_max);
    if (!names)
      return names.error();
    for (auto& name : *names) {
      if (found_.graphs.size() == limit_ || bytes_ > graphs_page_bytes)
        return go_on_behind(*after);
      look_at(name);
      after = name;
    }
    return names->size() == names_page_max ? go_on_behind(*after) : std::move(found_);
  }

private:
  graph_list go_on_behind(const storage::sha256_digest& name) {
    found_.next = graph_id{name};
    return std::move(found_);
  }

  /// Takes a blob in if it is a graph. One that goes, or is damaged, is no reason to show nothing.
  void look_at(const storage::sha256_digest& name) {
    auto source = blobs_.open(ns_, name);
    core::bytes first(1);
    if (!source || (*source)->bytes() > listed_graph_bytes_max || !(*source)->read(first, 0)
        || !storage::is_graph(first))
      return;
    auto text = blobs_.get(ns_, name);
    if (!text)
      return;
    bytes_ += text->size();
    auto parsed =
        graph_json::parse_graph({reinterpret_cast<const char*>(text->data()), text->size()});
    if (parsed.errors.empty() && graph_json::id_of(parsed.spec).sha256 == name)
      found_.graphs.push_back({graph_id{name}, parsed.spec.name, parsed.spec.vertices.size(),
                               parsed.spec.edges.size()});
  }

  storage::blob_store& blobs_;
  namespace_id ns_;
  std::size_t limit_;
  std::uint64_t bytes_ = 0;
  graph_list found_;
};

} // namespace

std::string to_string(const blob_id& id) { return storage::to_hex(id.sha256); }

std::optional<blob_id> parse_blob_id(std::string_view text) {
  auto id = parse_graph_id(text); // The same digits.
  return id ? std::optional{blob_id{id->sha256}} : std::nullopt;
}

struct blob_upload::impl {
  std::shared_ptr<actors::engine> engine;
  std::shared_ptr<storage::blob_store> store; ///< The sink belongs to it.
  std::unique_ptr<storage::blob_sink> sink;
  storage::sha256_stream hash{};
};

status blob_upload::append(std::span<const std::uint8_t> piece) {
  auto& x = *impl_;
  auto done = x.engine->while_open([&]() -> result<bool> {
    if (auto room = x.engine->check_space(); !room)
      return room.error();
    auto added = x.sink->append(piece);
    return added ? result<bool>{true} : added.error();
  });
  if (!done)
    return done.error();
  x.hash.add(piece);
  return {};
}

blob_id blob_upload::name() { return {impl_->hash.end()}; }

status blob_upload::commit() {
  auto& x = *impl_;
  auto done = x.engine->while_open([&] { return x.sink->commit(); });
  return done ? status{} : status{done.error()};
}

struct blob_reader::impl {
  std::shared_ptr<actors::engine> engine;
  std::unique_ptr<storage::blob_source> from;
  blob_id name;
  std::uint64_t at = 0, end = from->bytes(); ///< Of what is to be handed out.
  bool is_checked = true;
  storage::sha256_stream hash{};
};

std::uint64_t blob_reader::bytes() const noexcept { return impl_->from->bytes(); }

void blob_reader::only(std::uint64_t first, std::uint64_t count) noexcept {
  auto& x = *impl_;
  x.at = std::min(first, bytes());
  x.end = x.at + std::min(count, bytes() - x.at);
  x.is_checked = x.at == 0 && x.end == bytes();
}

result<std::vector<std::uint8_t>> blob_reader::next(std::size_t most) {
  auto& x = *impl_;
  if (x.at == x.end)
    return std::vector<std::uint8_t>{};
  std::vector<std::uint8_t> piece(std::min<std::uint64_t>(most, x.end - x.at));
  auto got = x.engine->while_open([&] { return x.from->read(piece, x.at); });
  if (!got)
    return got.error();
  piece.resize(*got);
  if (x.is_checked)
    x.hash.add(piece);
  x.at += *got;
  auto is_short = *got == 0;
  if (is_short || (x.is_checked && x.at == x.end && x.hash.end() != x.name.sha256))
    return error{ec::journal_corrupt, "the content of blob " + to_string(x.name)
                                          + " does not fit its name; restore a backup"};
  return piece;
}

result<graph_list> runtime::graphs(const std::optional<graph_id>& after, std::size_t limit,
                                   namespace_id ns) {
  auto& engine = *impl_->engine;
  return engine.while_open([&] {
    graph_scan scan{engine.blobs(), ns, std::clamp<std::size_t>(limit, 1, limits::rows_page_max)};
    return scan.page(after ? std::optional{after->sha256} : std::nullopt);
  });
}

result<blob_upload> runtime::put_blob(std::uint64_t bytes_max, namespace_id ns) {
  auto& engine = impl_->engine;
  return engine->while_open([&]() -> result<blob_upload> {
    if (auto room = engine->check_space(); !room)
      return room.error();
    auto sink = engine->blobs().begin(ns, bytes_max);
    if (!sink)
      return sink.error();
    blob_upload made;
    made.impl_ = std::make_shared<blob_upload::impl>(engine, engine->shared_blobs());
    made.impl_->sink = std::move(*sink);
    return made;
  });
}

result<blob_reader> runtime::blob(const blob_id& id, namespace_id ns) {
  auto& engine = impl_->engine;
  return engine->while_open([&]() -> result<blob_reader> {
    auto held = engine->blobs().pin(ns, id.sha256);
    if (!held)
      return held.error();
    auto source = engine->blobs().open(ns, id.sha256);
    if (!source)
      return source.error();
    blob_reader reader;
    reader.impl_ = std::make_shared<blob_reader::impl>(engine, std::move(*source), id);
    return reader;
  });
}

result<value> runtime::blob_value(const blob_id& id, namespace_id ns) {
  auto& engine = *impl_->engine;
  return engine.while_open([&]() -> result<value> {
    auto source = engine.blobs().open(ns, id.sha256);
    if (source && (*source)->bytes() > limits::value_bytes_max)
      return storage::blob_too_large((*source)->bytes(), limits::value_bytes_max);
    auto raw = engine.blobs().get(ns, id.sha256);
    if (!raw)
      return raw.error();
    core::reader in{*raw};
    auto read = core::decode_value(in);
    if (!in.ok || !in.in.empty())
      return error{ec::invalid_spec, "blob " + to_string(id) + " does not hold a value"};
    return read;
  });
}

} // namespace troupe
