#pragma once

#include "graph_json/value_json.hpp"
#include "troupe/graph_spec.hpp"

#include <bit>
#include <cmath>
#include <random>

namespace troupe::tests {

/// Values and graphs at random; the same for the same seed.
class random_values {
public:
  explicit random_values(std::uint64_t seed) : random_(seed) {}

  bool numbers_are_normal = false; ///< As reading a graph leaves them.

  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool coin() { return below(2) == 0; }

  std::string text() {
    static const char* const parts[] = {"a",
                                        "Z",
                                        "\"",
                                        "\\",
                                        "/",
                                        "\n",
                                        "\x01",
                                        "~",
                                        " ",
                                        "\xc3\xa9",
                                        "\xef\xbf\xbd",
                                        "\xf0\x9f\x98\x80",
                                        "\xee\x80\x80",
                                        "9"};
    std::string all;
    for (auto n = below(6); n > 0; --n)
      all += parts[below(std::size(parts))];
    return all;
  }

  /// A finite double of any size.
  double number() {
    for (;;)
      if (auto x = std::bit_cast<double>(random_()); std::isfinite(x))
        return coin() ? x : static_cast<double>(static_cast<std::int64_t>(below(2000)) - 1000) / 8;
  }

  value any(int depth) {
    switch (below(depth > 0 ? 7 : 5)) {
    case 0: return {};
    case 1: return coin();
    case 2: return static_cast<std::int64_t>(random_() >> below(64));
    case 3: return numbers_are_normal ? graph_json::normal(number()) : number();
    case 4: return text();
    case 5: return list(depth - 1);
    default: return object(depth - 1);
    }
  }

  value::list list(int depth) {
    value::list items;
    for (auto n = below(4); n > 0; --n)
      items.push_back(any(depth));
    return items;
  }

  value::object object(int depth) {
    value::object members;
    for (auto n = below(4); n > 0; --n)
      members.emplace(text(), any(depth));
    return members;
  }

  std::string name() {
    constexpr std::string_view letters = "abcXYZ019_.:-";
    std::string all = "v"; // Never `job`.
    for (auto n = below(8); n > 0; --n)
      all += letters[below(letters.size())];
    return all;
  }

  std::chrono::milliseconds duration() {
    return std::chrono::milliseconds{below(4) == 0 ? below(100'000) * 1000 : below(100'000)};
  }

  vertex_spec vertex() {
    vertex_spec v;
    v.id = name();
    v.kind = name();
    if (coin())
      v.config = object(3);
    if (coin())
      v.inputs = {{name(), coin() ? arity::one : arity::many}, {"in", arity::many}};
    v.join.policy = join_policy(below(5));
    if (v.join.policy == join_policy::n)
      v.join.count = 1 + static_cast<std::uint32_t>(below(100));
    v.on_error = on_error_policy(below(3));
    if (coin())
      v.retry = retry();
    if (coin())
      v.timeouts = {duration(), duration()};
    if (coin())
      v.pure = coin();
    return v;
  }

  retry_spec retry() {
    retry_spec r;
    r.max_attempts = 1 + static_cast<std::uint32_t>(below(1000));
    r.base = duration();
    r.cap = duration();
    r.factor = 1 + static_cast<double>(below(64)) / 16;
    r.jitter = coin();
    r.on_error = coin();
    r.on_timeout = coin();
    return r;
  }

  edge_spec edge() {
    edge_spec e;
    e.from = name();
    e.to = name();
    if (coin())
      e.from_port = "error";
    if (coin())
      e.to_port = name();
    if (coin())
      e.when = any(3);
    return e;
  }

  graph_spec graph() {
    graph_spec g;
    if (coin())
      g.name = name();
    for (auto n = below(6); n > 0; --n)
      g.vertices.push_back(vertex());
    for (auto n = below(6); n > 0; --n)
      g.edges.push_back(edge());
    for (auto n = below(3); n > 0; --n)
      g.result.push_back(name());
    g.result_is_single = g.result.size() == 1 && coin();
    return g;
  }

private:
  std::mt19937_64 random_;
};

} // namespace troupe::tests
