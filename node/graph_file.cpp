#include "node/graph_file.hpp"

#include "core/graph.hpp"
#include "graph_json/exact_json.hpp"
#include "graph_json/graph_json.hpp"
#include "graph_json/value_json.hpp"
#include "node/set_option.hpp"
#include "node/text.hpp"

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

/// `/vertices/3` of `/vertices/3/config/argv`; what is shorter as it is.
std::string element_of(const std::string& pointer) {
  auto second = pointer.find('/', 1);
  auto third = second == std::string::npos ? second : pointer.find('/', second + 1);
  return pointer.substr(0, third);
}

/// Adds what is wrong across vertices and edges to what is wrong with their shape. What was said
/// of an element's shape may have caused the rest of it, so such elements are left out; and edges,
/// too, if it is not sure which vertices there are.
void add_meaning(const graph_spec& spec, problems& errors) {
  std::set<std::string> misshapen;
  auto ids_known = true;
  for (auto& x : errors) {
    auto element = element_of(x.pointer);
    if (element.starts_with("/vertices/"))
      ids_known = ids_known && x.pointer != element && x.pointer != element + "/id";
    else if (element.empty() || element == "/vertices" || element == "/edges")
      return; // The text as a whole: syntax, limits.
    misshapen.insert(std::move(element));
  }
  for (auto& x : core::check(spec, core::builtin_kinds())) {
    auto element = element_of(x.pointer);
    if (!misshapen.contains(element) && (ids_known || !element.starts_with("/edges/")))
      errors.push_back(std::move(x));
  }
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
