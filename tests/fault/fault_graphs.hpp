#pragma once

#include "tests/fault/program.hpp"

namespace troupe::tests {

/// Vertices and edges as JSON text.
class graph_text {
public:
  void vertex(const std::string& id, const std::string& kind, const std::string& config,
              const std::string& more = {}) {
    vertices_ += (vertices_.empty() ? "" : ",\n ") + std::string{R"({"id": ")"} + id
                 + R"(", "kind": ")" + kind + R"(", "config": )" + config
                 + (more.empty() ? "" : ", " + more) + "}";
  }
  void edge(const std::string& from, const std::string& to, const std::string& more = {}) {
    edges_ += (edges_.empty() ? "" : ",\n ") + std::string{R"({"from": ")"} + from + R"(", "to": ")"
              + to + "\"" + (more.empty() ? "" : ", " + more) + "}";
  }
  std::string text(const std::string& name) const {
    return R"({"name": ")" + name + R"(", "vertices": [)" + vertices_ + R"(], "edges": [)" + edges_
           + "]}";
  }

private:
  std::string vertices_, edges_;
};

/// An `exec` whose effect is a line with its idempotency key in the file `effects`.
inline std::string effect_then(const std::string& shell, const std::string& output = "json") {
  return R"({"shell": "echo $TROUPE_IDEMPOTENCY_KEY >> effects; )" + shell + R"(", "output": ")"
         + output + "\"}";
}

/// Layers of effects, each gathered by a `jq` that adds up what they give.
inline std::string effects_graph() {
  constexpr int layers = 5, width = 5;
  graph_text g;
  for (int layer = 0; layer < layers; ++layer) {
    auto sum = "sum" + std::to_string(layer);
    for (int i = 0; i < width; ++i) {
      auto id = "e" + std::to_string(layer) + "_" + std::to_string(i);
      g.vertex(id, "exec", effect_then("sleep 0.02; echo " + std::to_string(layer * width + i)));
      g.edge(id, sum);
      if (layer > 0)
        g.edge("sum" + std::to_string(layer - 1), id);
    }
    g.vertex(sum, "jq", R"({"program": ".in | add"})", R"("inputs": {"in": "many"})");
  }
  return g.text("effects");
}

/// Pure vertices only: constants, and layers of `jq` that work for some milliseconds each.
inline std::string pure_graph() {
  constexpr int layers = 6, width = 12;
  graph_text g;
  g.vertex("start", "noop", R"({"output": [1]})");
  std::string before = "start";
  for (int layer = 0; layer < layers; ++layer) {
    auto sum = "sum" + std::to_string(layer);
    for (int i = 0; i < width; ++i) {
      auto id = "p" + std::to_string(layer) + "_" + std::to_string(i);
      g.vertex(id, "jq",
               R"({"program": "[range(1500) | . * )" + std::to_string(i + 1) + R"(] | add"})");
      g.edge(before, id);
      g.edge(id, sum);
    }
    g.vertex(sum, "jq", R"({"program": ".in | add"})", R"("inputs": {"in": "many"})");
    before = sum;
  }
  return g.text("pure");
}

/// Vertices that succeed the third time, one that never does and is tolerated, one that is routed.
inline std::string retries_graph() {
  constexpr int flaky = 6;
  const std::string retry = R"("retry": {"max_attempts": 9, "base": "40ms", "jitter": "none"})";
  graph_text g;
  for (int i = 0; i < flaky; ++i) {
    auto id = "flaky" + std::to_string(i);
    g.vertex(id, "exec",
             effect_then("echo x >> " + id + ".runs; test $(wc -l < " + id + ".runs) -ge 3 && echo "
                         + std::to_string(i)),
             retry);
    if (i > 1)
      g.edge("flaky" + std::to_string(i - 2), id);
    g.edge(id, "sum");
  }
  g.vertex("broken", "exec", effect_then("exit 1"), R"("on_error": "continue")");
  g.vertex("routed", "exec", effect_then("exit 2"), R"("on_error": "route")");
  g.vertex("rescue", "noop", R"({"output": 100})");
  g.vertex("nap", "delay", R"({"for": "80ms"})");
  g.vertex("sum", "jq", R"({"program": ".in | map(numbers) | sort"})",
           R"("inputs": {"in": "many"}, "join": "ignore_failed")");
  g.edge("routed", "rescue", R"("from_port": "error")");
  for (auto id : {"broken", "rescue", "nap"})
    g.edge(id, "sum");
  return g.text("retries");
}

/// The real Montage workflow; its tasks take their recorded time divided by 400 and hold a slot.
inline std::string montage_graph(const scratch& in) {
  auto imported = troupe_with(
      in, {"graphs", "import", "--from", "wfformat", "--replay", "400",
           TROUPE_SOURCE_DIR "/examples/data/wfinstances/montage-chameleon-2mass-05d-001.json"});
  INFO(imported.err);
  REQUIRE(imported.code == 0);
  return imported.out;
}

} // namespace troupe::tests
