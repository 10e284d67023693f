#include "node/cli.hpp"

#include "core/names.hpp"
#include "node/admin_verbs.hpp"
#include "node/choice.hpp"
#include "node/dev_command.hpp"
#include "node/graph_commands.hpp"
#include "node/job_verbs.hpp"
#include "node/run_command.hpp"
#include "node/serve_command.hpp"
#include "node/version.hpp"

#include <algorithm>
#include <CLI/CLI.hpp>
#include <functional>

namespace troupe::node {

namespace {

constexpr auto default_data = ".troupe";

constexpr auto main_footer = R"(Examples:
  troupe run hello.json                   run a graph, durably, under ./.troupe
  troupe run hello.json --input '{"n":1}' with an input for its vertices
  troupe run --resume                     go on after a crash or Ctrl-C
  troupe graphs validate hello.json       tell everything that is wrong with it
  troupe graphs render g.json | dot -Tsvg draw it
  troupe jobs list                        what ran here
  troupe dev                              a node to try things out, with lines to try
  troupe serve                            a node that takes jobs over HTTP
  troupe submit hello.json --wait         a job of a node, up to its result
  troupe backup /mnt/monday               a copy to restore from, while jobs run

A graph in hello.json:
  {"vertices": [{"id": "now",   "kind": "exec", "config": {"argv": ["date", "-u"]}},
                {"id": "shout", "kind": "jq",   "config": {"program": ".in | ascii_upcase"}}],
   "edges":    [{"from": "now", "to": "shout"}]}

Exit codes:
  0 ok · 1 job or request failed · 2 usage · 3 not found · 4 conflict · 5 unauthorised
  6 unavailable · 124 timed out · 130 interrupted (Ctrl-C) · 143 ended (SIGTERM)

Colours and progress appear on a terminal only; NO_COLOR is honoured.)";

constexpr auto run_footer =
    R"(The result is JSON on standard output, progress goes to standard error. Everything is durable
under --data before it is shown: after a crash or Ctrl-C, --resume goes on where it stopped. A
job keeps its input and --max-parallel for life; with --resume they only matter if none is
unfinished and FILE starts anew.

Examples:
  troupe run montage.json --max-parallel 8
  troupe run etl.json --input @day.json --set load.env.TABLE=test
  troupe run etl.json --from transform    transform and all after it again, the rest reused
  troupe run etl.json --until transform   only what transform needs
  troupe run --resume                     continue the newest unfinished job
  troupe run g.json -o ndjson             every event as a line of JSON)";

constexpr auto validate_footer = R"(Example:
  troupe graphs validate hello.json
  hello.json: /vertices/3/kind: unknown kind ...)";

constexpr auto render_footer = R"(Example:
  troupe graphs render hello.json | dot -Tsvg > hello.svg)";

constexpr auto import_footer = R"(Examples:
  troupe graphs import --from wfformat montage.json --output montage.graph.json
  troupe graphs import --from wfformat montage.json --replay 100 | troupe run - --max-parallel 8
  troupe graphs import --from langflow chat.flow.json --output chat.graph.json)";

constexpr auto serve_footer =
    R"(Jobs of the data directory that have not ended go on. Everything is told over HTTP: docs/http.md has
lines for curl, GET /v1/openapi.json has all routes. Ctrl-C and SIGTERM end it in order; what runs
then runs again at the next start.

Examples:
  troupe serve --data /var/lib/troupe
  troupe serve --allow-kind exec          graphs that come over HTTP may run programs
  curl localhost:7700/readyz?verbose)";

constexpr auto dev_footer =
    R"(Like `troupe serve`, on loopback, with a new key that is printed, vertices of every kind allowed, a
sample that has run, and lines to try. Jobs stay in --data for the next time; keys of the last five
starts stay valid.

Example:
  troupe dev --data /tmp/try)";

/// What was asked for: filled while arguments are read, called after.
struct request {
  format how = format::table;
  run_options run;
  std::string file;
  import_options import;
  serve_options serve;
  dev_options dev;
  std::string data = default_data;
  std::function<int(console&)> act;
};

void add_format(CLI::App& to, request& r) { add_format_option(to, r.how); }

void add_data(CLI::App& to, request& r) { add_data_option(to, r.data); }

/// A verb with its one act.
CLI::App& add_verb(CLI::App& to, const char* name, const char* about, const char* footer,
                   request& r, std::function<int(console&)> act) {
  auto verb = to.add_subcommand(name, about);
  verb->footer(footer);
  verb->callback([&r, act = std::move(act)] { r.act = act; });
  return *verb;
}

trouble wrong_usage(std::string what, std::string why, std::string next) {
  return {fault::bad_usage, std::move(what), std::move(why), std::move(next)};
}

/// What options say against each other.
std::optional<trouble> contradiction(const run_options& x) {
  if (x.file.empty() && !x.resume)
    return wrong_usage("troupe run needs a FILE", "only --resume goes without",
                       "troupe run --help");
  if (x.file.empty() && (!x.sets.empty() || x.until))
    return wrong_usage("--set and --until change a FILE, and none is given",
                       "a job runs the graph that it was made from",
                       "troupe run FILE --resume, or leave them out");
  if (x.resume && (x.memory || x.from || x.dry_run))
    return wrong_usage("--resume does not go with --memory, --from or --dry-run",
                       "it continues a job as it is", "leave one of them out");
  if (x.from && x.memory)
    return wrong_usage("--from does not go with --memory",
                       "only a data directory has results to reuse", "leave one of them out");
  if (x.file == "-" && (x.input == "@-" || x.input == "-"))
    return wrong_usage("FILE and --input cannot both be standard input", "it can be read only once",
                       "write one of them into a file");
  return {};
}

int run(console& to, request& r) {
  r.run.data = r.data;
  if (auto wrong = contradiction(r.run))
    return to.fail(*wrong);
  return run_graph(to, r.run, r.how);
}

/// One table of options.
void add_run(CLI::App& app, request& r) {
  auto& verb = add_verb(app, "run", "Run one graph to its end, durably, and print its result",
                        run_footer, r, [&r](console& to) { return run(to, r); });
  auto& o = r.run;
  verb.group("Run");
  verb.add_option("FILE", o.file, "The graph, or - for standard input");
  verb.add_option("--input", o.input, "What every vertex sees as `job`: JSON, or @FILE")
      ->type_name("JSON");
  verb.add_option("--set", o.sets, "Change a vertex's config; may be repeated")
      ->type_name("VERTEX.KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_data(verb, r);
  verb.add_option("--max-parallel", o.max_parallel, "How many vertices may run at once")
      ->type_name("N")
      ->check(CLI::Range(1u, 1'000'000u).description(""));
  verb.add_flag("--dry-run", o.dry_run, "Only check, and show what would run");
  verb.add_flag("--memory", o.memory, "Write nothing: fast, and gone after a crash");
  verb.add_flag("--resume", o.resume, "Continue the newest unfinished job here");
  verb.add_option("--from", o.from, "Run this vertex and all after it again, reuse the rest")
      ->type_name("VERTEX");
  verb.add_option("--until", o.until, "Run only this vertex and all that it needs")
      ->type_name("VERTEX");
  add_format(verb, r);
}

/// An option that may be repeated, each time with one value.
void add_repeated(CLI::App& to, const char* name, std::vector<std::string>& all, const char* about,
                  const char* type) {
  to.add_option(name, all, about)
      ->type_name(type)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

/// One table of options.
void add_serve(CLI::App& app, request& r) {
  auto& o = r.serve;
  auto& verb = add_verb(app, "serve", "Run a node that is talked to over HTTP", serve_footer, r,
                        [&r](console& to) { return serve(to, r.serve, r.how); });
  verb.group("Run");
  verb.add_option("-c,--config", o.config, "The configuration, JSON (default: none)")
      ->type_name("FILE");
  verb.add_flag("--check", o.check, "Only say what is wrong with the configuration");
  verb.add_option("--data", o.data, "Where jobs are kept (default: .troupe)")->type_name("DIR");
  verb.add_option("--address", o.address, "Where to listen (default: 127.0.0.1)")->type_name("IP");
  verb.add_option("--port", o.port, "Where to listen; 0: any free port (default: 7700)")
      ->type_name("N");
  add_repeated(verb, "--allow-kind", o.kinds,
               "A kind that graphs over HTTP may have, too; * for all", "KIND");
  add_repeated(verb, "--allow-host", o.hosts, "A name that the header Host may have, too", "NAME");
  verb.add_option("--tls-cert", o.tls_cert, "Serve by TLS with this certificate (PEM)")
      ->type_name("FILE");
  verb.add_option("--tls-key", o.tls_key, "Its private key (PEM)")->type_name("FILE");
  add_format(verb, r);
}

void add_dev(CLI::App& app, request& r) {
  auto& verb = add_verb(app, "dev", "Run a node to try things out, and say what to try", dev_footer,
                        r, [&r](console& to) { return dev(to, r.dev); });
  verb.group("Run");
  verb.add_option("--data", r.dev.data, "Where jobs are kept (default: .troupe)")->type_name("DIR");
  verb.add_option("--port", r.dev.port, "Where to listen (default: 7700, or the next that is free)")
      ->type_name("N");
}

void add_graphs(CLI::App& app, request& r) {
  auto& graphs = *app.add_subcommand(
      "graphs", "validate, render, register, list, import: check, draw and make graphs");
  graphs.group("Look");
  graphs.require_subcommand(1);
  auto& validate =
      add_verb(graphs, "validate", "Tell everything that is wrong with a graph", validate_footer, r,
               [&r](console& to) { return validate_graph(to, r.file, r.how); });
  validate.add_option("FILE", r.file, "The graph, or - for standard input")->required();
  add_format(validate, r);

  static const std::map<std::string, int> drawings{{"dot", 0}};
  static int drawing = 0;
  auto& render = add_verb(graphs, "render", "Draw a graph", render_footer, r,
                          [&r](console& to) { return render_graph(to, r.file); });
  render.add_option("FILE", r.file, "The graph, or - for standard input")->required();
  render.add_option("--format", drawing, "dot: Graphviz")
      ->transform(choice(drawings))
      ->type_name("dot");
  add_node_graphs(graphs, {r.how, r.data, r.act});

  static const std::map<std::string, graph_origin> origins{{"wfformat", graph_origin::wfformat},
                                                           {"langflow", graph_origin::langflow}};
  auto& import =
      add_verb(graphs, "import", "Make a graph of another format's workflow", import_footer, r,
               [&r](console& to) { return import_graph(to, r.import); });
  import.add_option("FILE", r.import.file, "The workflow, or - for standard input")->required();
  import.add_option("--from", r.import.from, "wfformat: WfCommons; langflow: a Langflow flow")
      ->required()
      ->transform(choice(origins))
      ->type_name("wfformat|langflow");
  import
      .add_option("--replay", r.import.replay,
                  "Tasks take their recorded time divided by this (default: no time)")
      ->type_name("SPEEDUP")
      ->check(CLI::PositiveNumber.description(""));
  import.add_option("--output", r.import.output, "Where to write it (default: standard output)")
      ->type_name("FILE");
}

void add_all(CLI::App& app, request& r) {
  app.require_subcommand(1);
  app.footer(main_footer);
  app.set_version_flag("--version", version_line(), "Print the version");
  app.get_formatter()->column_width(34);
  add_run(app, r);
  add_serve(app, r);
  add_dev(app, r);
  add_graphs(app, r);
  add_job_verbs(app, {r.how, r.data, r.act});
  add_store_verbs(app, {r.how, r.data, r.act});
  add_admin_verbs(app, {r.how, r.data, r.act});
  auto& version = add_verb(app, "version", "Print the version and how it was built", "", r,
                           [&r](console& to) { return show_version(to, r.how); });
  version.group("Look");
  add_format(version, r);
}

/// The verb that arguments came to, and how it is called.
std::pair<const CLI::App*, std::string> deepest(const CLI::App& app) {
  auto at = &app;
  auto called = app.get_name();
  for (auto next = at->get_subcommands(); !next.empty(); next = at->get_subcommands()) {
    at = next.front();
    called += " " + at->get_name();
  }
  return {at, called};
}

/// What is said of a word that nothing is called.
std::string unknown_word(const CLI::App& verb, const std::string& word) {
  std::vector<std::string> names;
  for (auto x : verb.get_subcommands({}))
    names.push_back(x->get_name());
  for (auto x : verb.get_options())
    names.push_back(x->get_name());
  std::vector<std::string_view> known(names.begin(), names.end());
  auto what = word.starts_with('-') ? "option " : names.size() > 2 ? "verb " : "argument ";
  return "there is no " + (what + core::quoted(word)) + core::did_you_mean(word, known);
}

/// Help and version go to standard output; all else is a mistake of the caller.
int explain(const CLI::App& app, const CLI::ParseError& e, console& to) {
  if (e.get_exit_code() == 0)
    return app.exit(e);
  auto [verb, called] = deepest(app);
  auto rest = app.remaining(true);
  std::string what = e.what();
  if (!rest.empty())
    what = unknown_word(*verb, rest.front());
  else if (!verb->get_subcommands({}).empty())
    what = called + " needs a verb";
  return to.fail(wrong_usage(what, {}, called + " --help"));
}

/// Options that many verbs have may stand before the verb, too: they go to the end.
std::vector<char*> with_common_options_last(int argc, char** argv) {
  constexpr std::string_view common[] = {"--url", "--token", "--ca-file", "-o"};
  auto at = argv + std::min(argc, 1), end = argv + argc;
  while (end - at >= 2 && std::ranges::find(common, std::string_view{*at}) != std::end(common))
    at += 2;
  std::vector<char*> words(argv, argv + std::min(argc, 1));
  words.insert(words.end(), at, end);
  words.insert(words.end(), argv + std::min(argc, 1), at);
  return words;
}

} // namespace

int run_cli(int argc, char** argv) {
  console to;
  try {
    CLI::App app{"Troupe runs graphs of work durably: what has ended is never lost.", "troupe"};
    request r;
    add_all(app, r);
    try {
      auto words = with_common_options_last(argc, argv);
      app.parse(argc, words.data());
    } catch (const CLI::ParseError& e) {
      return explain(app, e, to);
    }
    return r.act(to);
  } catch (const std::exception& e) {
    return to.fail({fault::unexpected, {}, e.what()});
  }
}

} // namespace troupe::node
