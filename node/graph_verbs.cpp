#include "node/graph_verbs.hpp"

#include "node/choice.hpp"
#include "node/graph_commands.hpp"
#include "node/job_verbs.hpp"

#include <charconv>
#include <CLI/CLI.hpp>
#include <cmath>

namespace troupe::node {

namespace {

constexpr auto graphs_footer =
    R"(validate, render and import work on files, register and list ask a node.

Examples:
  troupe graphs validate hello.json
  troupe graphs render hello.json --format svg > hello.svg
  troupe graphs register etl.json)";

constexpr auto validate_footer = R"(Example:
  troupe graphs validate hello.json
  hello.json: /vertices/3/kind: unknown kind ...)";

constexpr auto render_footer = R"(Examples:
  troupe graphs render hello.json --format svg > hello.svg
  troupe graphs render hello.json | dot -Tpdf > hello.pdf)";

constexpr auto import_footer = R"(Examples:
  troupe graphs import --from wfformat montage.json --output montage.graph.json
  troupe graphs import --from wfformat montage.json --replay 100 | troupe run - --max-parallel 8
  troupe graphs import --from langflow chat.flow.json --output chat.graph.json)";

/// What was asked for: filled while arguments are read.
struct request {
  std::string file;
  drawing how = drawing::dot;
  import_options import;
};

std::string above_zero(std::string& text) {
  double x = 0;
  auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), x);
  auto is_number = wrong == std::errc{} && end == text.data() + text.size() && std::isfinite(x);
  return is_number && x > 0 ? "" : core::quoted(text) + " is not a number above 0";
}

void add_files(CLI::App& graphs, const cli_targets& cli, request& r) {
  auto& validate = add_verb(graphs, cli, "validate", "Tell everything that is wrong with a graph",
                            validate_footer,
                            [&r, cli](console& to) { return validate_graph(to, r.file, cli.how); });
  validate.add_option("FILE", r.file, "The graph, or - for standard input")->required();
  add_format_option(validate, cli.how);

  static const std::map<std::string, drawing> drawings{{"dot", drawing::dot},
                                                       {"svg", drawing::svg}};
  auto& render = add_verb(graphs, cli, "render", "Draw a graph", render_footer,
                          [&r](console& to) { return render_graph(to, r.file, r.how); });
  render.add_option("FILE", r.file, "The graph, or - for standard input")->required();
  render.add_option("--format", r.how, "dot: for Graphviz (default); svg: a drawing")
      ->transform(choice(drawings))
      ->type_name("dot|svg");
}

void add_import(CLI::App& graphs, const cli_targets& cli, request& r) {
  static const std::map<std::string, graph_origin> origins{{"wfformat", graph_origin::wfformat},
                                                           {"langflow", graph_origin::langflow}};
  auto& import = add_verb(graphs, cli, "import", "Make a graph of another format's workflow",
                          import_footer, [&r](console& to) { return import_graph(to, r.import); });
  import.add_option("FILE", r.import.file, "The workflow, or - for standard input")->required();
  import.add_option("--from", r.import.from, "wfformat: WfCommons; langflow: a Langflow flow")
      ->required()
      ->transform(choice(origins))
      ->type_name("wfformat|langflow");
  import
      .add_option("--replay", r.import.replay,
                  "Tasks take their recorded time divided by this (default: no time)")
      ->type_name("SPEEDUP")
      ->check(CLI::Validator{above_zero, ""});
  import.add_option("--output", r.import.output, "Where to write it (default: standard output)")
      ->type_name("FILE");
}

} // namespace

void add_graph_verbs(CLI::App& app, const cli_targets& cli) {
  static request r; // One command line a process.
  auto& graphs = add_group(app, "graphs",
                           "validate, render, register, list, import: check, draw and make graphs",
                           graphs_footer, "Look");
  add_files(graphs, cli, r);
  add_node_graphs(graphs, cli);
  add_import(graphs, cli, r);
}

} // namespace troupe::node
