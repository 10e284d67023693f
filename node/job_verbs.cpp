#include "node/job_verbs.hpp"

#include "core/duration.hpp"
#include "node/change_command.hpp"
#include "node/choice.hpp"
#include "node/job_help.hpp"
#include "node/node_graphs.hpp"
#include "node/node_jobs.hpp"
#include "node/purge_command.hpp"
#include "node/stats_command.hpp"
#include "node/submit_command.hpp"

#include <CLI/CLI.hpp>

namespace troupe::node {

namespace {

/// What was asked for: filled while arguments are read.
struct request {
  target_options at;
  submit_options submit;
  list_options list;
  logs_options logs;
  purge_options purge;
  watch_options watch;
  change_options change;
  std::string file;
};

/// A verb with `-o`.
CLI::App& add_act(CLI::App& to, const cli_targets& cli, const char* name, const char* about,
                  const std::string& footer, std::function<int(console&)> act) {
  auto& verb = add_verb(to, cli, name, about, footer, std::move(act));
  add_format_option(verb, cli.how);
  return verb;
}

void add_id(CLI::App& to, std::string& id) {
  to.add_option("ID", id, "The job's id, or how it begins")->required();
}

void add_labels(CLI::App& to, std::vector<std::string>& all, const char* about) {
  add_repeated(to, "--label", all, about, "NAME=VALUE");
}

void add_filter(CLI::App& to, job_query& which) {
  to.add_option("--state", which.state, "Only jobs in this state, or unfinished ones")
      ->type_name("STATE");
  to.add_option("--queue", which.queue, "Only jobs of this queue")->type_name("QUEUE");
  add_labels(to, which.labels, "Only jobs with this label; may be repeated");
  to.add_option("-q,--search", which.text,
                "Only jobs whose id begins so, or with this in a label, their queue or the name "
                "of their graph")
      ->type_name("TEXT");
}

/// For verbs about jobs that have ended.
void add_age(CLI::App& to, job_query& which) {
  to.add_option("--older-than", which.older_than, "Only jobs that ended so long ago")
      ->type_name("DURATION");
}

/// `--wait [DURATION]`.
void add_wait(CLI::App& to, std::optional<std::string>& wait, const char* about) {
  to.add_option_function<std::string>(
        "--wait", [&wait](const std::string& x) { wait = x == "true" ? "" : x; }, about)
      ->type_name("DURATION")
      ->expected(0, 1);
}

/// `--wait WORD` may have taken the only argument: a word that is no duration is given back.
void settle(std::optional<std::string>& wait, std::string& argument) {
  if (wait && argument.empty() && !wait->empty() && !core::parse_duration(*wait))
    argument = std::exchange(*wait, "");
}

/// The argument that a verb needs.
std::optional<trouble> missing(const std::string& argument, const char* verb, const char* what) {
  if (!argument.empty())
    return {};
  return trouble{
      fault::bad_usage, std::string{verb} + " needs " + what, {}, std::string{verb} + " --help"};
}

int submit(console& to, request& r, format how) {
  settle(r.submit.wait, r.submit.graph);
  auto wrong = missing(r.submit.graph, "troupe submit", "a FILE");
  return wrong ? to.fail(*wrong) : submit_job(to, r.submit, how);
}

int await_job(console& to, request& r, format how, const char* verb,
              int (*act)(console&, const watch_options&, format)) {
  settle(r.watch.wait, r.watch.id);
  auto wrong = missing(r.watch.id, verb, "the ID of a job");
  return wrong ? to.fail(*wrong) : act(to, r.watch, how);
}

void add_place_options(CLI::App& to, target_options& at) {
  to.add_option("--data", at.data, "A data directory")->type_name("DIR")->check(directory());
  add_node_options(to, at);
}

/// Does one thing in a data directory, or another at a node.
template <class InData, class AtNode>
int dispatch(console& to, const target_options& at, InData in_data, AtNode at_node) {
  auto place = target_of(at);
  if (!place)
    return to.fail(place.trouble());
  if (place->is_node())
    return at_node(place->node);
  auto code = in_data(place->data);
  if (code == number(exit_code::not_found) && !place->is_named)
    to.err("note: this looked into ./.troupe; --url or TROUPE_URL asks a node\n");
  return code;
}

// One table of options.
void add_submit(CLI::App& app, const cli_targets& cli, request& r) {
  auto& o = r.submit;
  auto& verb = add_act(app, cli, "submit", "Make a job at a node", submit_footer,
                       [&r, cli](console& to) { return submit(to, r, cli.how); });
  verb.group("Run");
  verb.add_option("FILE", o.graph, "The graph, - for standard input, or the id of one");
  verb.add_option("--input", o.input, "What every vertex sees as `job`: JSON, @FILE, or -")
      ->type_name("JSON");
  add_wait(verb, o.wait, "Show it up to its end, at most so long, and print its result");
  verb.add_option("--queue", o.queue, "Where it waits (default: default)")->type_name("QUEUE");
  add_labels(verb, o.labels, "What it can be found by; may be repeated");
  verb.add_option("--retention", o.retention, "How long it is kept once it has ended")
      ->type_name("DURATION");
  verb.add_option("--expires-in", o.expires_in, "It fails unless it has begun by then")
      ->type_name("DURATION");
  verb.add_option("--max-parallel", o.max_parallel, "How many vertices may run at once")
      ->type_name("N")
      ->check(CLI::Range(1u, 1'000'000u).description(""));
  verb.add_option("--idempotency-key", o.idempotency_key, "With the same key it is the same job")
      ->type_name("KEY");
  add_node_options(verb, o.at);
}

void add_list(CLI::App& jobs, const cli_targets& cli, request& r) {
  auto& verb = add_act(jobs, cli, "list", "List jobs, newest first",
                       std::string{target_footer} + list_example, [&r, cli](console& to) {
                         return dispatch(
                             to, r.at,
                             [&](auto& data) {
                               r.list.data = data;
                               return list_jobs(to, r.list, cli.how);
                             },
                             [&](auto& node) { return list_node_jobs(to, node, r.list, cli.how); });
                       });
  add_filter(verb, r.list.which);
  add_age(verb, r.list.which);
  verb.add_option("--limit", r.list.limit, "At most so many (default: 20)")
      ->type_name("N")
      ->check(CLI::Range(1u, 1'000'000u).description(""));
  add_place_options(verb, r.at);
}

void add_get(CLI::App& jobs, const cli_targets& cli, request& r) {
  auto& verb =
      add_act(jobs, cli, "get", "Show one job, its failures and its result",
              std::string{target_footer} + get_example, [&r, cli](console& to) {
                return dispatch(
                    to, r.at, [&](auto& data) { return get_job(to, data, r.logs.id, cli.how); },
                    [&](auto& node) { return get_node_job(to, node, r.logs.id, cli.how); });
              });
  add_id(verb, r.logs.id);
  add_place_options(verb, r.at);
}

void add_logs(CLI::App& jobs, const cli_targets& cli, request& r) {
  auto& verb = add_act(jobs, cli, "logs", "Show what the vertices of a job said, and failures",
                       std::string{target_footer} + logs_example, [&r, cli](console& to) {
                         return dispatch(
                             to, r.at,
                             [&](auto& data) {
                               r.logs.data = data;
                               return show_logs(to, r.logs, cli.how);
                             },
                             [&](auto& node) { return show_node_logs(to, node, r.logs, cli.how); });
                       });
  add_id(verb, r.logs.id);
  verb.add_option("--vertex", r.logs.vertex, "Only this vertex")->type_name("VERTEX");
  verb.add_flag("--all", r.logs.all, "Every event, numbered");
  verb.add_flag("-f,--follow", r.logs.follow, "Wait for more until the job ends");
  add_place_options(verb, r.at);
}

int purge(console& to, request& r, format how) {
  return dispatch(
      to, r.at,
      [&](auto& data) {
        r.purge.data = data;
        return purge_jobs(to, r.purge, how);
      },
      [&](auto&) {
        change_options x{r.at, "purge", {}, r.purge.which, {}, {}, r.purge.dry_run, r.purge.yes};
        return change_jobs(to, x, how);
      });
}

void add_purge(CLI::App& jobs, const cli_targets& cli, request& r) {
  auto& o = r.purge;
  auto& verb = add_act(jobs, cli, "purge", "Delete jobs that have ended",
                       std::string{target_footer} + purge_example,
                       [&r, cli](console& to) { return purge(to, r, cli.how); });
  add_filter(verb, o.which);
  add_age(verb, o.which);
  verb.add_flag("--dry-run", o.dry_run, "Only count them");
  verb.add_flag("--yes", o.yes, "Delete them");
  add_place_options(verb, r.at);
}

void add_watches(CLI::App& jobs, const cli_targets& cli, request& r) {
  auto& watch = add_act(
      jobs, cli, "watch", "Show a job up to its end", std::string{node_footer} + watch_example,
      [&r, cli](console& to) { return await_job(to, r, cli.how, "troupe jobs watch", watch_job); });
  auto& result = add_act(jobs, cli, "result", "Print the result of a job",
                         std::string{node_footer} + result_example, [&r, cli](console& to) {
                           return await_job(to, r, cli.how, "troupe jobs result", show_result);
                         });
  for (auto verb : {&watch, &result}) {
    verb->add_option("ID", r.watch.id, "The job's id, or how it begins");
    add_node_options(*verb, r.watch.at);
  }
  add_wait(watch, r.watch.wait, "At most so long");
  add_wait(result, r.watch.wait, "Wait for the end, at most so long");
}

CLI::App& add_change(CLI::App& jobs, const cli_targets& cli, request& r, const char* step,
                     const char* about, const char* example) {
  auto& verb = add_act(jobs, cli, step, about, std::string{node_footer} + example,
                       [&r, cli, step](console& to) {
                         r.change.step = step;
                         return change_jobs(to, r.change, cli.how);
                       });
  verb.add_option("ID", r.change.ids, "Ids of jobs, or how they begin");
  add_node_options(verb, r.change.at);
  return verb;
}

void add_bulk(CLI::App& verb, request& r) {
  add_filter(verb, r.change.which);
  verb.add_flag("--dry-run", r.change.dry_run, "Only count the jobs of the filter");
  verb.add_flag("--yes", r.change.yes, "Do it to all jobs of the filter");
}

void add_changes(CLI::App& jobs, const cli_targets& cli, request& r) {
  for (auto [step, about] : {std::pair{"cancel", "Ask what runs to end, then end the job"},
                             {"stop", "End what runs at once, and the job"},
                             {"pause", "Start nothing more until the job is resumed"},
                             {"resume", "Let a paused job go on"}}) {
    auto& verb = add_change(jobs, cli, r, step, about, change_example);
    verb.add_option("--reason", r.change.reason, "Stands in the job's events")->type_name("TEXT");
    add_bulk(verb, r);
  }
  auto& retry = add_change(jobs, cli, r, "retry", "Run a job that has ended again, as a new one",
                           retry_example);
  retry.add_option("--from", r.change.from, "Run this vertex and all behind it again")
      ->type_name("VERTEX");
  add_bulk(retry, r);
  add_age(retry, r.change.which);
  add_change(jobs, cli, r, "remove", "Delete a job that has ended", remove_example);
}

} // namespace

void add_job_verbs(CLI::App& app, const cli_targets& cli) {
  static request r; // One command line a process.
  add_submit(app, cli, r);
  auto& jobs =
      add_group(app, "jobs", "list, get, watch, result, cancel and more: see and change jobs",
                jobs_footer, "Look");
  add_list(jobs, cli, r);
  add_get(jobs, cli, r);
  add_watches(jobs, cli, r);
  add_logs(jobs, cli, r);
  add_changes(jobs, cli, r);
  add_purge(jobs, cli, r);
  auto& stats = add_act(app, cli, "stats", "Count the jobs of a node by queue and state",
                        std::string{node_footer} + stats_example,
                        [cli](console& to) { return show_stats(to, r.at, cli.how); });
  stats.group("Look");
  add_node_options(stats, r.at);
}

void add_node_graphs(CLI::App& graphs, const cli_targets& cli) {
  static request r;
  auto& add = add_act(graphs, cli, "register", "Store a graph at a node and print its id",
                      std::string{node_footer} + "Example:\n  troupe graphs register etl.json",
                      [cli](console& to) { return register_graph(to, r.at, r.file, cli.how); });
  add.add_option("FILE", r.file, "The graph, or - for standard input")->required();
  add_node_options(add, r.at);
  auto& list = add_act(graphs, cli, "list", "List the graphs that a node knows",
                       std::string{node_footer} + "Example:\n  troupe graphs list -o ndjson",
                       [cli](console& to) { return list_graphs(to, r.at, r.list.limit, cli.how); });
  list.add_option("--limit", r.list.limit, "At most so many (default: 20)")
      ->type_name("N")
      ->check(CLI::Range(1u, 1'000'000u).description(""));
  add_node_options(list, r.at);
}

void add_node_options(CLI::App& to, target_options& at) {
  to.add_option("--url", at.url, "A node (default: $TROUPE_URL)")->type_name("URL");
  to.add_option("--token", at.token, "Its key (default: $TROUPE_TOKEN)")->type_name("KEY");
  to.add_option("--ca-file", at.ca_file,
                "Whom TLS trusts, as PEM (default: $TROUPE_CA_FILE, else the system)")
      ->type_name("FILE");
}

} // namespace troupe::node
