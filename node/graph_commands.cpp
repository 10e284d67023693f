#include "node/graph_commands.hpp"

#include "core/graph.hpp"
#include "graph_json/dot.hpp"
#include "graph_json/graph_json.hpp"
#include "graph_json/langflow.hpp"
#include "graph_json/svg.hpp"
#include "graph_json/value_json.hpp"
#include "graph_json/wfformat.hpp"
#include "node/graph_file.hpp"
#include "node/out_json.hpp"
#include "node/show.hpp"
#include "node/text.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace troupe::node {

namespace {

value report_of(const read_graph& x) {
  value::list errors;
  for (auto& p : x.errors)
    errors.push_back(to_value(p));
  value::object all{{"valid", x.errors.empty()},
                    {"name", x.spec.name},
                    {"vertices", static_cast<std::int64_t>(x.spec.vertices.size())},
                    {"edges", static_cast<std::int64_t>(x.spec.edges.size())},
                    {"errors", std::move(errors)}};
  if (x.errors.empty())
    all.emplace("graph", to_string(graph_json::id_of(x.spec)));
  return all;
}

std::string size_text(const graph_spec& x) {
  return counted(x.vertices.size(), "vertex") + ", " + counted(x.edges.size(), "edge");
}

void show_errors(console& to, const problems& errors) {
  for (auto& p : errors)
    to.out_line(to_value(p));
}

int flushed(console& to, exit_code code = exit_code::ok) {
  return to.flush() ? number(code) : to.fail(fault::output_failed);
}

int write_file(console& to, const std::string& path, const std::string& text) {
  errno = 0;
  std::ofstream file{path, std::ios::binary | std::ios::trunc};
  file << text;
  file.close();
  if (!file)
    return to.fail({fault::output_failed, "cannot write " + path, std::strerror(errno),
                    "check the path, its permissions and the disk"});
  return number(exit_code::ok);
}

} // namespace

int validate_graph(console& to, const std::string& file, format how) {
  auto read = read_graph_file(file);
  if (!read)
    return to.fail(read.trouble());
  auto valid = read->errors.empty();
  if (how == format::json)
    to.out_json(report_of(*read));
  else if (how == format::ndjson)
    show_errors(to, read->errors);
  else
    to.out(valid ? file + ": valid: " + size_text(read->spec) + "\n"
                 : problem_lines(file, read->errors));
  if (valid)
    return flushed(to);
  return to.fail(invalid_graph(file, read->errors));
}

int render_graph(console& to, const std::string& file, drawing how) {
  auto spec = valid_graph(to, file, {}, {});
  if (!spec)
    return to.fail(spec.trouble());
  to.out(how == drawing::svg ? graph_json::to_svg(*spec) : graph_json::to_dot(*spec));
  return flushed(to);
}

namespace {

graph_json::parsed_graph imported(const std::string& text, const import_options& options) {
  if (options.from == graph_origin::wfformat)
    return graph_json::import_wfformat(text, {options.replay});
  auto flow = graph_json::parse_value(text);
  if (!flow)
    return {{}, {{"syntax", "", flow.error().detail}}};
  return graph_json::import_langflow(*flow);
}

} // namespace

int import_graph(console& to, const import_options& options) {
  auto text = read_text(options.file);
  if (!text)
    return to.fail(text.trouble());
  auto parsed = imported(*text, options);
  if (parsed.errors.empty())
    parsed.errors = core::check(parsed.spec, core::builtin_kinds());
  if (!parsed.errors.empty()) {
    to.err(problem_lines(options.file, parsed.errors));
    auto told = invalid_graph(options.file, parsed.errors);
    told.next = "correct what is listed; `troupe graphs import` checks again";
    return to.fail(told);
  }
  auto json = graph_json::to_json_pretty(graph_json::to_value(parsed.spec)) + "\n";
  to.err(options.file + ": " + size_text(parsed.spec) + "\n");
  if (options.output != "-")
    return write_file(to, options.output, json);
  out_json_text(to, json);
  return flushed(to);
}

} // namespace troupe::node
