#include "node/graph_file.hpp"

#include "core/graph.hpp"
#include "core/json_pointer.hpp"
#include "graph_json/exact_json.hpp"
#include "graph_json/graph_json.hpp"
#include "graph_json/value_json.hpp"
#include "node/set_option.hpp"
#include "node/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>

namespace troupe::node {

namespace {

constexpr std::size_t text_bytes_max = std::size_t{1} << 30;

struct closing {
  void operator()(std::FILE* x) const { x != stdin ? std::fclose(x) : 0; }
};
using stream = std::unique_ptr<std::FILE, closing>;

stream open(const std::string& file) {
  return stream{file == "-" ? stdin : std::fopen(file.c_str(), "rb")};
}

trouble unreadable(const std::string& file, const std::string& why) {
  return {fault::unreadable_file, "cannot read " + (file == "-" ? "standard input" : file), why};
}

/// Whether the text was not read as a whole, so that nothing can be said of what it means.
bool hides_meaning(const problem& x) {
  if (x.pointer.empty())
    return x.code != "duplicate_key" && x.code != "missing_key";
  return x.code == "too_deep"
         || (x.code == "too_many" && (x.pointer == "/vertices" || x.pointer == "/edges"));
}

/// What was said of a graph's shape, to tell which problems of its meaning come of that alone. A
/// name that was not understood is empty in `spec`; then something was said of it.
class told_shape {
public:
  told_shape(const graph_spec& spec, const problems& errors) {
    for (auto& x : errors)
      take(x);
    for (std::size_t v = 0; v < spec.vertices.size(); ++v) {
      ids_known_ = !missing(spec.vertices[v].id, "/vertices", v, "id") && ids_known_;
      missing(spec.vertices[v].kind, "/vertices", v, "kind");
    }
    for (std::size_t e = 0; e < spec.edges.size(); ++e) {
      missing(spec.edges[e].from, "/edges", e, "from");
      ends_known_ = !missing(spec.edges[e].to, "/edges", e, "to") && ends_known_;
    }
  }

  /// Whether `x`, of the meaning, may be there only because something was not understood.
  bool explains(const problem& x) const {
    if (covers(x.pointer))
      return true;
    if (x.code == "unknown_vertex")
      return !ids_known_;
    return x.pointer.ends_with("/join/n") && (!ids_known_ || !ends_known_);
  }

private:
  void take(const problem& x) {
    auto is_list = x.pointer == "/vertices" || (x.pointer.empty() && x.code == "missing_key");
    auto is_vertex = is_element(x.pointer) && x.pointer.starts_with("/vertices/");
    ids_known_ = ids_known_ && !is_list && !(x.code == "duplicate_key" && is_vertex);
    ends_known_ = ends_known_ && x.pointer != "/edges";
    if (is_list)
      pointers_.insert("/vertices");
    else if (x.code != "duplicate_key" && !(x.code == "missing_key" && is_element(x.pointer)))
      pointers_.insert(x.pointer);
  }

  /// Whether it leads to a vertex or an edge as such: `/vertices/3`.
  static bool is_element(const std::string& pointer) {
    return std::ranges::count(pointer, '/') == 2;
  }

  /// Whether the name is not known; then what is wrong with it was said.
  bool missing(const std::string& name, const char* list, std::size_t i, const char* key) {
    if (name.empty())
      pointers_.insert(core::at(list, i, key));
    return name.empty();
  }

  /// Whether the place, or what it lies in, was not understood.
  bool covers(std::string_view pointer) const {
    for (; !pointer.empty(); pointer = pointer.substr(0, pointer.rfind('/')))
      if (pointers_.contains(pointer))
        return true;
    return false;
  }

  std::set<std::string, std::less<>> pointers_; ///< What was not understood.
  bool ids_known_ = true;                       ///< Of all vertices.
  bool ends_known_ = true;                      ///< Where each edge leads to.
};

/// Adds what is wrong across vertices and edges to what is wrong with their shape, but for what
/// only comes of that.
void add_meaning(const graph_spec& spec, problems& errors) {
  if (std::ranges::any_of(errors, hides_meaning))
    return;
  told_shape told{spec, errors};
  for (auto& x : core::check(spec, core::builtin_kinds()))
    if (!told.explains(x))
      errors.push_back(std::move(x));
}

} // namespace

answer<std::string> read_text(const std::string& file) {
  auto from = open(file);
  if (!from)
    return unreadable(file, std::strerror(errno));
  std::string text;
  char piece[65536];
  for (std::size_t n; (n = std::fread(piece, 1, sizeof piece, from.get())) > 0;) {
    text.append(piece, n);
    if (text.size() > text_bytes_max)
      return unreadable(file, "it has more than " + std::to_string(text_bytes_max) + " bytes");
  }
  if (std::ferror(from.get()))
    return unreadable(file, std::strerror(errno));
  return text;
}

answer<value> read_input(const std::string& text) {
  auto json = text;
  if (text == "-" || text.starts_with('@')) {
    auto read = read_text(text == "-" ? text : text.substr(1));
    if (!read)
      return read.trouble();
    json = std::move(*read);
  }
  auto parsed = graph_json::parse_exact(json);
  if (!parsed)
    return trouble{fault::bad_input, {}, parsed.error().detail};
  if (!parsed->rounded.empty())
    return trouble{fault::bad_input, "the input cannot be kept as it is",
                   parsed->rounded.front().pointer + ": " + parsed->rounded.front().detail};
  return std::move(parsed->content);
}

answer<read_graph> read_graph_file(const std::string& file) {
  auto parsed = graph_json::parse_graph_file(file == "-" ? "/dev/stdin" : file);
  if (parsed.errors.size() == 1 && parsed.errors.front().code == "io_failed")
    return unreadable(file, parsed.errors.front().detail);
  add_meaning(parsed.spec, parsed.errors);
  return read_graph{std::move(parsed.spec), std::move(parsed.errors)};
}

std::string problem_lines(const std::string& file, const problems& errors) {
  std::string lines;
  for (auto& p : errors)
    lines += file + ": " + (p.pointer.empty() ? "" : p.pointer + ": ") + one_line(p.detail) + "\n";
  return lines;
}

trouble invalid_graph(const std::string& file, const problems& errors) {
  return {fault::invalid_graph, file + " is not a valid graph",
          counted(errors.size(), "problem") + (errors.size() == 1 ? ", the line" : ", the lines")
              + " above"};
}

answer<graph_spec> valid_graph(console& to, const std::string& file,
                               const std::vector<std::string>& sets,
                               const std::optional<std::string>& until) {
  auto read = read_graph_file(file);
  if (!read)
    return read.trouble();
  auto& [spec, errors] = *read;
  for (auto& text : sets)
    if (auto wrong = errors.empty() ? apply_set(spec, text) : std::nullopt)
      return *wrong;
  if (errors.empty() && until) {
    if (auto wrong = check_vertex(spec, *until))
      return *wrong;
    spec = std::move(*core::ancestors_of(spec, *until));
  }
  if (errors.empty() && (until || !sets.empty()))
    errors = core::check(spec, core::builtin_kinds());
  if (errors.empty())
    return std::move(spec);
  to.err(problem_lines(file, errors));
  return invalid_graph(file, errors);
}

} // namespace troupe::node
