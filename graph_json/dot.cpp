#include "graph_json/dot.hpp"

#include "core/utf8.hpp"
#include "graph_json/drawing.hpp"

#include <algorithm>

namespace troupe::graph_json {

namespace {

struct look {
  std::string_view kind, shape;
};

constexpr look looks[] = {{"noop", "ellipse"},  {"delay", "octagon"},    {"exec", "box"},
                          {"http", "cds"},      {"jq", "parallelogram"}, {"function", "component"},
                          {"worker", "house"},  {"graph", "box3d"},      {"for_each", "box3d"},
                          {"while", "box3d"},   {"router", "diamond"},   {"wait", "hexagon"},
                          {"template", "note"}, {"file", "folder"},      {"llm", "doubleoctagon"}};

std::string_view shape_of(std::string_view kind) {
  auto found =
      std::find_if(std::begin(looks), std::end(looks), [&](auto& x) { return x.kind == kind; });
  return found == std::end(looks) ? "box" : found->shape;
}

/// Appends one line of a label: what DOT or Graphviz would interpret is escaped.
void append_line(std::string_view text, std::string& out) {
  while (!text.empty()) {
    auto length = core::utf8_sequence(text);
    auto c = text.front();
    if (length == 0)
      out += "\xef\xbf\xbd";
    else if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += ' ';
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  append_line(text, out);
  return out + '"';
}

/// A label of one or more lines.
std::string label(const std::vector<std::string>& lines) {
  std::string out = "\"";
  for (auto& line : lines) {
    if (&line != &lines.front())
      out += "\\n";
    append_line(line, out);
  }
  return out + '"';
}

void append_vertex(const vertex_spec& vertex, std::string& out) {
  out += "  " + quote(vertex.id) + " [label=" + label(vertex_lines(vertex)) + ", shape=";
  (out += shape_of(vertex.kind)) += "];\n";
}

void append_edge(const edge_spec& edge, std::string& out) {
  auto lines = edge_lines(edge);
  std::string style;
  if (!lines.empty())
    style = "label=" + label(lines);
  if (carries_error(edge))
    style += (style.empty() ? "" : ", ") + std::string{"color=red, style=dashed"};
  out += "  " + quote(edge.from) + " -> " + quote(edge.to);
  out += style.empty() ? ";\n" : " [" + style + "];\n";
}

} // namespace

std::string to_dot(const graph_spec& graph) {
  std::string out = "digraph " + quote(graph.name) + " {\n  rankdir=LR;\n";
  for (auto& vertex : graph.vertices)
    append_vertex(vertex, out);
  for (auto& edge : graph.edges)
    append_edge(edge, out);
  return out + "}\n";
}

} // namespace troupe::graph_json
