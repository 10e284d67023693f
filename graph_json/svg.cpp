#include "graph_json/svg.hpp"

#include "core/utf8.hpp"
#include "graph_json/drawing.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace troupe::graph_json {

namespace {

constexpr int sweeps = 8;
constexpr std::size_t line_letters_max = 40; ///< Longer ones are cut; a tooltip has them whole.
// In pixels.
constexpr int letter = 7, line = 16, pad = 10, row_gap = 18, column_gap = 60, margin = 20;
constexpr int note_letter = 6; ///< Beside an edge.

using index = std::size_t;

struct box {
  index layer = 0;
  double order = 0; ///< Within the layer.
  std::vector<index> before, behind;
  std::vector<std::string> lines;
  int x = 0, y = 0, width = 0, height = 0;
  int notes = 0; ///< The widest text beside its outgoing edges.
  int next = 0;  ///< Where the next layer begins.

  int middle() const { return y + height / 2; }
};

/// Text as XML has it: a byte that is no UTF-8, or no letter of XML, becomes a replacement.
std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto length = core::utf8_sequence(text);
    auto c = text.front();
    if (length == 0 || static_cast<unsigned char>(c) < 0x20)
      out += "\xef\xbf\xbd";
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string shortened(const std::string& text) {
  if (text.size() <= line_letters_max)
    return text;
  return text.substr(0, core::whole_characters(text, line_letters_max)) + "…";
}

/// Boxes in the order of the vertices, and the places of both ends of each edge among them.
class layout {
public:
  explicit layout(const graph_spec& graph) {
    std::map<std::string_view, index> places;
    for (auto& vertex : graph.vertices) {
      places.emplace(vertex.id, boxes.size());
      boxes.emplace_back().lines = vertex_lines(vertex);
    }
    for (auto& edge : graph.edges) {
      auto from = places.at(edge.from), to = places.at(edge.to);
      ends.emplace_back(from, to);
      boxes[from].behind.push_back(to);
      boxes[to].before.push_back(from);
      for (auto& text : edge_lines(edge))
        boxes[from].notes = std::max(boxes[from].notes, int(shortened(text).size()) * note_letter);
    }
    find_layers();
    order_layers();
    place();
  }

  std::vector<box> boxes;
  std::vector<std::pair<index, index>> ends;
  int width = 0, height = 0;

private:
  /// Each box one layer behind the last of those before it.
  void find_layers() {
    std::vector<std::size_t> open;
    std::vector<index> ready;
    for (index i = 0; i < boxes.size(); ++i)
      if (open.push_back(boxes[i].before.size()); open.back() == 0)
        ready.push_back(i);
    for (index at = 0; at < ready.size(); ++at)
      for (auto next : boxes[ready[at]].behind) {
        boxes[next].layer = std::max(boxes[next].layer, boxes[ready[at]].layer + 1);
        if (--open[next] == 0)
          ready.push_back(next);
      }
    for (index i = 0; i < boxes.size(); ++i) {
      layers_.resize(std::max(layers_.size(), boxes[i].layer + 1));
      layers_[boxes[i].layer].push_back(i);
    }
  }

  /// Moves each box of a layer to the middle of its neighbours on one side.
  void order(std::vector<index>& layer, std::vector<index> box::*neighbours) {
    std::vector<std::pair<double, index>> wanted;
    for (auto i : layer) {
      auto& all = boxes[i].*neighbours;
      auto sum = std::accumulate(all.begin(), all.end(), 0.0,
                                 [&](double to, index n) { return to + boxes[n].order; });
      wanted.emplace_back(all.empty() ? boxes[i].order : sum / static_cast<double>(all.size()), i);
    }
    std::ranges::stable_sort(wanted, {}, &std::pair<double, index>::first);
    for (index at = 0; at < layer.size(); ++at)
      layer[at] = wanted[at].second;
    number(layer);
  }

  /// Orders lie around 0, whatever the size of the layer.
  void number(const std::vector<index>& layer) {
    for (index at = 0; at < layer.size(); ++at)
      boxes[layer[at]].order = static_cast<double>(at) - static_cast<double>(layer.size() - 1) / 2;
  }

  void order_layers() {
    for (auto& layer : layers_)
      number(layer);
    for (int i = 0; i < sweeps; ++i)
      if (i % 2 == 0)
        for (auto& layer : layers_)
          order(layer, &box::before);
      else
        for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer)
          order(*layer, &box::behind);
  }

  void place() {
    int x = margin, right = x;
    for (auto& layer : layers_) {
      int wide = 0, notes = 0, y = 0;
      for (auto i : layer) {
        auto& b = boxes[i];
        for (auto& text : b.lines)
          b.width = std::max(b.width, int(shortened(text).size()) * letter + 2 * pad);
        b.height = int(b.lines.size()) * line + pad;
        b.x = x;
        b.y = y;
        y += b.height + row_gap;
        wide = std::max(wide, b.width);
        notes = std::max(notes, b.notes);
      }
      for (auto i : layer)
        boxes[i].y -= (y - row_gap) / 2; // Around 0.
      x += wide + notes + column_gap;
      for (auto i : layer)
        boxes[i].next = x;
      right = x - notes - column_gap;
    }
    auto top = std::ranges::min(boxes, {}, &box::y).y;
    for (auto& b : boxes) {
      b.y += margin - top;
      height = std::max(height, b.y + b.height + margin);
    }
    width = right + margin;
  }

  std::vector<std::vector<index>> layers_;
};

std::string number(int x) { return std::to_string(x); }

/// Lines of text, the first one at this height, each centred.
std::string text_lines(const std::vector<std::string>& lines, int x, int y,
                       const std::string& style) {
  std::string out;
  for (auto& text : lines) {
    out += "<text class=\"" + style + "\" x=\"" + number(x) + "\" y=\"" + number(y) + "\">"
           + escaped(shortened(text)) + "</text>";
    y += line;
  }
  return out;
}

std::string title_of(const std::vector<std::string>& lines) {
  std::string all;
  for (auto& text : lines)
    all += (all.empty() ? "" : "; ") + text;
  return all.empty() ? "" : "<title>" + escaped(all) + "</title>";
}

std::string drawn(const box& b) {
  return "<g>" + title_of(b.lines) + "<rect x=\"" + number(b.x) + "\" y=\"" + number(b.y)
         + "\" width=\"" + number(b.width) + "\" height=\"" + number(b.height) + "\" rx=\"5\"/>"
         + text_lines({b.lines.front()}, b.x + b.width / 2, b.y + line, "id")
         + text_lines({b.lines.begin() + 1, b.lines.end()}, b.x + b.width / 2, b.y + 2 * line,
                      "kind")
         + "</g>\n";
}

/// How high an edge runs, about, at `x` between its ends.
int height_at(int x, const box& from, const box& to) {
  auto begin = from.x + from.width;
  auto part = double(x - begin) / std::max(to.x - begin, 1);
  return from.middle() + int((to.middle() - from.middle()) * part * part * (3 - 2 * part));
}

std::string drawn(const edge_spec& edge, const box& from, const box& to) {
  auto lines = edge_lines(edge);
  auto x = from.x + from.width, bend = std::max((to.x - x) / 2, 1);
  auto way = "M" + number(x) + " " + number(from.middle()) + "C" + number(x + bend) + " "
             + number(from.middle()) + " " + number(to.x - bend) + " " + number(to.middle()) + " "
             + number(to.x) + " " + number(to.middle());
  auto error = carries_error(edge) ? " class=\"error\"" : "";
  auto notes_at = (x + from.next) / 2; // Before the next layer, where no box lies.
  auto y = height_at(notes_at, from, to) - 4 - int(lines.size() - !lines.empty()) * line;
  return std::string{"<g"} + error + ">" + title_of(lines) + "<path d=\"" + way
         + "\" marker-end=\"url(#head)\"/>" + text_lines(lines, notes_at, y, "note") + "</g>\n";
}

constexpr auto style =
    "<style>"
    "text{font:12px ui-monospace,Menlo,Consolas,monospace;text-anchor:middle;fill:#1f2328}"
    "text.id{font-weight:bold}text.kind,text.note{fill:#59636e}text.note{font-size:10px}"
    "rect{fill:#f6f8fa;stroke:#59636e}path{fill:none;stroke:#59636e}"
    "#head path{fill:#59636e}.error path{stroke:#cf222e;stroke-dasharray:5 3}"
    "</style>\n"
    "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
    "markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n"
    "<rect width=\"100%\" height=\"100%\" style=\"fill:#fff;stroke:none\"/>\n";

} // namespace

std::string to_svg(const graph_spec& graph) {
  layout all{graph};
  auto size = number(all.width) + "\" height=\"" + number(all.height);
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + size
                    + "\" viewBox=\"0 0 " + number(all.width) + " " + number(all.height) + "\">\n";
  if (!graph.name.empty())
    out += "<title>" + escaped(graph.name) + "</title>\n";
  out += style;
  for (index i = 0; i < graph.edges.size(); ++i)
    out += drawn(graph.edges[i], all.boxes[all.ends[i].first], all.boxes[all.ends[i].second]);
  for (auto& b : all.boxes)
    out += drawn(b);
  return out + "</svg>\n";
}

} // namespace troupe::graph_json
