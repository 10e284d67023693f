#include "graph_json/graph_json.hpp"

#include "graph_json/edge_json.hpp"
#include "graph_json/value_json.hpp"
#include "graph_json/vertex_json.hpp"

#include <cassert>
#include <memory>
#include <openssl/evp.h>

namespace troupe::graph_json {

namespace {

constexpr std::size_t piece_bytes = 64 << 10;

value result_of(const graph_spec& graph) {
  if (graph.result_is_single && graph.result.size() == 1)
    return graph.result.front();
  return value::list(graph.result.begin(), graph.result.end());
}

/// Writes the canonical text into a buffer that `drain` may empty whenever it is called.
template <class Drain>
class canonical_writer {
public:
  canonical_writer(std::string& out, Drain drain) : out_(out), drain_(drain) {}

  // The keys in order of UTF-16 code units: edges, name, result, vertices.
  void write(const graph_spec& graph) {
    if (!graph.edges.empty())
      write_list("edges", graph.edges);
    if (!graph.name.empty())
      write_member("name", graph.name);
    if (!graph.result.empty())
      write_member("result", result_of(graph));
    write_list("vertices", graph.vertices);
    out_ += '}';
    drain_(out_);
  }

private:
  void write_key(std::string_view key) {
    out_ += is_first_ ? "{\"" : ",\"";
    is_first_ = false;
    (out_ += key) += "\":";
  }

  void write_member(std::string_view key, const value& x) {
    write_key(key);
    append_canonical(x, out_);
  }

  template <class T>
  void write_list(std::string_view key, const std::vector<T>& items) {
    write_key(key);
    out_ += '[';
    for (auto& item : items) {
      if (&item != &items.front())
        out_ += ',';
      append_canonical(to_value(item), out_);
      if (out_.size() >= piece_bytes)
        drain_(out_);
    }
    out_ += ']';
  }

  std::string& out_;
  Drain drain_;
  bool is_first_ = true;
};

struct digest_closer {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

template <class T>
value::list list_of(const std::vector<T>& items) {
  value::list all;
  all.reserve(items.size());
  for (auto& item : items)
    all.push_back(to_value(item));
  return all;
}

} // namespace

value to_value(const graph_spec& graph) {
  value x = value::object{{"vertices", list_of(graph.vertices)}};
  if (!graph.name.empty())
    x["name"] = graph.name;
  if (!graph.edges.empty())
    x["edges"] = list_of(graph.edges);
  if (!graph.result.empty())
    x["result"] = result_of(graph);
  return x;
}

std::string canonical_json(const graph_spec& graph) {
  std::string out;
  canonical_writer{out, [](std::string&) {}}.write(graph);
  return out;
}

graph_id id_of(const graph_spec& graph) {
  graph_id id;
  std::unique_ptr<EVP_MD_CTX, digest_closer> context{EVP_MD_CTX_new()};
  [[maybe_unused]] bool good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  assert(good);
  std::string out;
  canonical_writer{out,
                   [&](std::string& piece) {
                     EVP_DigestUpdate(context.get(), piece.data(), piece.size());
                     piece.clear();
                   }}
      .write(graph);
  EVP_DigestFinal_ex(context.get(), id.sha256.data(), nullptr);
  return id;
}

} // namespace troupe::graph_json
