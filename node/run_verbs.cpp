#include "node/run_verbs.hpp"

#include "node/choice.hpp"
#include "node/dev_command.hpp"
#include "node/run_command.hpp"
#include "node/serve_command.hpp"

#include <CLI/CLI.hpp>

namespace troupe::node {

namespace {

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

constexpr auto serve_footer =
    R"(Jobs of the data directory that have not ended go on. Everything is told over HTTP: docs/http.md has
lines for curl, GET /v1/openapi.json has all routes. Ctrl-C and SIGTERM end it in order; what runs
then runs again at the next start.

Examples:
  troupe serve --data /var/lib/troupe
  troupe serve --allow-kind exec          graphs that come over HTTP may run programs
  curl 'localhost:7700/readyz?verbose')";

constexpr auto dev_footer =
    R"(Like `troupe serve`, on loopback, with a new key that is printed, vertices of every kind allowed, a
sample that has run, and lines to try. Jobs stay in --data for the next time; keys of the last five
starts stay valid.

Example:
  troupe dev --data /tmp/try)";

/// What was asked for: filled while arguments are read.
struct request {
  run_options run;
  serve_options serve;
  dev_options dev;
  CLI::Option* run_data = nullptr; ///< `--data` of `run`.
};

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

int run(console& to, const cli_targets& cli, request& r) {
  r.run.data = cli.data;
  if (auto wrong = contradiction(r.run))
    return to.fail(*wrong);
  if (r.run.memory && r.run_data->count() > 0)
    return to.fail(wrong_usage("--memory does not go with --data",
                               "with --memory nothing is written to a directory",
                               "leave one of them out"));
  return run_graph(to, r.run, cli.how);
}

/// One table of options.
void add_run(CLI::App& app, const cli_targets& cli, request& r) {
  auto& verb = add_verb(app, cli, "run", "Run one graph to its end, durably, and print its result",
                        run_footer, [&r, cli](console& to) { return run(to, cli, r); });
  auto& o = r.run;
  verb.group("Run");
  verb.add_option("FILE", o.file, "The graph, or - for standard input");
  verb.add_option("--input", o.input, "What every vertex sees as `job`: JSON, or @FILE")
      ->type_name("JSON");
  add_repeated(verb, "--set", o.sets, "Change a vertex's config; may be repeated",
               "VERTEX.KEY=VALUE");
  add_data_option(verb, cli.data);
  r.run_data = verb.get_option("--data");
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
  add_format_option(verb, cli.how);
}

/// One table of options.
void add_serve(CLI::App& app, const cli_targets& cli, request& r) {
  auto& o = r.serve;
  auto& verb = add_verb(app, cli, "serve", "Run a node that is talked to over HTTP", serve_footer,
                        [&r, cli](console& to) { return serve(to, r.serve, cli.how); });
  verb.group("Run");
  verb.add_option("-c,--config", o.config, "The configuration, JSON (default: none)")
      ->type_name("FILE");
  verb.add_flag("--check", o.check, "Only say what is wrong with the configuration");
  verb.add_option("--data", o.data, "Where jobs are kept (default: .troupe)")
      ->type_name("DIR")
      ->check(directory());
  verb.add_option("--address", o.address, "Where to listen (default: 127.0.0.1)")->type_name("IP");
  verb.add_option("--port", o.port, "Where to listen; 0: any free port (default: 7700)")
      ->type_name("N")
      ->check(CLI::Range(0, 65535).description(""));
  add_repeated(verb, "--allow-kind", o.kinds,
               "A kind that graphs over HTTP may have, too; * for all", "KIND");
  add_repeated(verb, "--allow-host", o.hosts, "A name that the header Host may have, too", "NAME");
  verb.add_option("--tls-cert", o.tls_cert, "Serve by TLS with this certificate (PEM)")
      ->type_name("FILE");
  verb.add_option("--tls-key", o.tls_key, "Its private key (PEM)")->type_name("FILE");
  add_format_option(verb, cli.how);
}

void add_dev(CLI::App& app, const cli_targets& cli, request& r) {
  auto& verb = add_verb(app, cli, "dev", "Run a node to try things out, and say what to try",
                        dev_footer, [&r](console& to) { return dev(to, r.dev); });
  verb.group("Run");
  verb.add_option("--data", r.dev.data, "Where jobs are kept (default: .troupe)")
      ->type_name("DIR")
      ->check(directory());
  verb.add_option("--port", r.dev.port, "Where to listen (default: 7700, or the next that is free)")
      ->type_name("N")
      ->check(CLI::Range(0, 65535).description(""));
}

} // namespace

void add_run_verbs(CLI::App& app, const cli_targets& cli) {
  static request r; // One command line a process.
  add_run(app, cli, r);
  add_serve(app, cli, r);
  add_dev(app, cli, r);
}

} // namespace troupe::node
