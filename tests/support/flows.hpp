#pragma once

#include <initializer_list>
#include <string>
#include <utility>

/// Langflow's JSON for small flows.
namespace troupe::tests {

struct flow_node {
  std::string id;
  std::string output = "message";
  std::string fields = {}; ///< Members of its template, as JSON.
};

struct flow_edge {
  std::string from, output, to, field;
};

inline std::string node_json(const flow_node& x) {
  auto type = x.id.substr(0, x.id.find('-'));
  return R"({"id":")" + x.id + R"(","type":"genericNode","data":{"id":")" + x.id + R"(","type":")"
         + type + R"(","node":{"outputs":[{"name":")" + x.output
         + R"("}],"template":{"_type":"Component")" + (x.fields.empty() ? "" : "," + x.fields)
         + "}}}}";
}

inline std::string edge_json(const flow_edge& x) {
  return R"({"source":")" + x.from + R"(","target":")" + x.to
         + R"(","data":{"sourceHandle":{"name":")" + x.output
         + R"("},"targetHandle":{"fieldName":")" + x.field + R"("}}})";
}

/// `{"nodes": …, "edges": …}`.
inline std::string flow_json(std::initializer_list<flow_node> nodes,
                             std::initializer_list<flow_edge> edges) {
  std::string all = R"({"nodes":[)", separator;
  for (auto& x : nodes)
    all += std::exchange(separator, ",") + node_json(x);
  all += R"(],"edges":[)";
  separator.clear();
  for (auto& x : edges)
    all += std::exchange(separator, ",") + edge_json(x);
  return all + "]}";
}

/// A chat with one component between input and output.
inline std::string chat_flow() {
  return flow_json({{"ChatInput-1", "message", R"("input_value":{"value":"hello"})"},
                    {"Model-1", "text"},
                    {"ChatOutput-1"}},
                   {{"ChatInput-1", "message", "Model-1", "prompt"},
                    {"Model-1", "text", "ChatOutput-1", "input_value"}});
}

} // namespace troupe::tests
