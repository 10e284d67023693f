#include "node/cli.hpp"

#include "core/names.hpp"
#include "node/admin_verbs.hpp"
#include "node/graph_verbs.hpp"
#include "node/job_verbs.hpp"
#include "node/run_verbs.hpp"
#include "node/version.hpp"
#include "storage/map_guard.hpp"

#include <algorithm>
#include <CLI/CLI.hpp>
#include <iostream>

namespace troupe::node {

namespace {

constexpr auto main_footer = R"(Examples:
  troupe run hello.json                   run a graph, durably, under ./.troupe
  troupe run hello.json --input '{"n":1}' with an input for its vertices
  troupe run --resume                     go on after a crash or Ctrl-C
  troupe graphs validate hello.json       tell everything that is wrong with it
  troupe graphs render g.json --format svg draw it
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

Options that may stand before the verb, too, for verbs that have them:
  --url URL, --token KEY, --ca-file FILE, -o FORMAT

Colours and progress appear on a terminal only; NO_COLOR is honoured.)";

/// What was asked for: filled while arguments are read, called after.
struct request {
  format how = format::table;
  std::string data = default_data;
  std::function<int(console&)> act;
};

void add_all(CLI::App& app, request& r) {
  app.require_subcommand(1);
  app.footer(main_footer);
  app.set_version_flag("--version", version_line(), "Print the version");
  app.get_formatter()->column_width(34);
  cli_targets cli{r.how, r.data, r.act};
  add_run_verbs(app, cli);
  add_graph_verbs(app, cli);
  add_job_verbs(app, cli);
  add_store_verbs(app, cli);
  add_admin_verbs(app, cli);
  auto& version = add_verb(app, cli, "version", "Print the version and how it was built", "",
                           [&r](console& to) { return show_version(to, r.how); });
  version.group("Look");
  add_format_option(version, r.how);
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

/// What is said of an argument that a verb has no use for.
trouble one_too_many(const CLI::App& verb, const std::string& called, const std::string& word) {
  std::string takes;
  for (auto x : verb.get_options([](const CLI::Option* o) { return o->get_positional(); }))
    takes += " " + x->get_name(true);
  return {fault::bad_usage, core::quoted(word) + " is one argument too many",
          takes.empty() ? called + " takes options only" : called + " takes one" + takes,
          called + " --help"};
}

/// What is said of a word that nothing is called. `called`: the verb, with those above it.
trouble unknown_word(const CLI::App& verb, const std::string& called, const std::string& word) {
  auto next = called + " --help";
  auto is_option = word.starts_with('-');
  auto has_verbs = !verb.get_subcommands({}).empty();
  auto name = word.substr(0, word.find('='));
  if (is_option && verb.get_option_no_throw(name))
    return {fault::bad_usage, core::quoted(name) + " stands in the wrong place",
            "an option stands behind its verb, and before a `--`", called + " " + name + " …"};
  if (!is_option && !has_verbs)
    return one_too_many(verb, called, word);
  std::vector<std::string> names;
  for (auto x : verb.get_subcommands({}))
    names.push_back(x->get_name());
  for (auto x : verb.get_options())
    names.push_back(x->get_name());
  std::vector<std::string_view> known(names.begin(), names.end());
  return {fault::bad_usage,
          std::string{"there is no "} + (is_option ? "option " : "verb ") + core::quoted(word)
              + core::did_you_mean(word, known),
          {},
          next};
}

/// An option of the verb that was given without a value; a `$NAME` that is not set is the usual
/// reason. None takes that for a value; of one that goes without it cannot be told.
std::optional<trouble> empty_option(const CLI::App& app) {
  auto [verb, called] = deepest(app);
  for (auto x : verb->get_options())
    if (x->nonpositional() && x->get_expected_min() > 0 && std::ranges::count(x->results(), "") > 0)
      return trouble{fault::bad_usage, "the value of " + x->get_name() + " is empty",
                     "a variable of the shell that is not set is empty",
                     "give a value, or leave " + x->get_name() + " out"};
  return {};
}

/// The same of `--name=`, behind which the next word would be taken for the value.
std::optional<trouble> empty_option(const std::vector<char*>& words) {
  for (std::string_view x : words) {
    if (x == "--")
      break;
    if (x.starts_with("--") && x.find('=') == x.size() - 1)
      return trouble{fault::bad_usage,
                     "the value of " + std::string{x.substr(0, x.size() - 1)} + " is empty",
                     "a variable of the shell that is not set is empty",
                     "give a value, or leave the option out"};
  }
  return {};
}

/// Help and version go to standard output; all else is a mistake of the caller, also help for a
/// verb that is not there.
int explain(const CLI::App& app, const CLI::ParseError& e, console& to) {
  auto [verb, called] = deepest(app);
  auto rest = app.remaining(true);
  auto is_unknown =
      !rest.empty() && !rest.front().starts_with('-') && !verb->get_subcommands({}).empty();
  if (e.get_exit_code() == 0 && !is_unknown) {
    auto code = app.exit(e);
    return std::cout.flush() ? code : to.fail(fault::output_failed);
  }
  if (auto empty = empty_option(app))
    return to.fail(*empty);
  if (!rest.empty())
    return to.fail(unknown_word(*verb, called, rest.front()));
  std::string what = verb->get_subcommands({}).empty() ? e.what() : called + " needs a verb";
  return to.fail({fault::bad_usage, what, {}, called + " --help"});
}

/// How many words an option is that many verbs have, with its value; 0: it is none.
std::ptrdiff_t common_words(std::string_view word) {
  for (std::string_view name : {"--url", "--token", "--ca-file"})
    if (word.starts_with(name) && (word.size() == name.size() || word[name.size()] == '='))
      return word.size() == name.size() ? 2 : 1;
  if (!word.starts_with("-o"))
    return 0;
  return word.size() == 2 ? 2 : 1;
}

/// Options that many verbs have may stand before the verb, too: they go to the end.
std::vector<char*> with_common_options_last(int argc, char** argv) {
  auto at = argv + std::min(argc, 1), end = argv + argc;
  while (at != end && common_words(*at) > 0 && common_words(*at) <= end - at)
    at += common_words(*at);
  std::vector<char*> words(argv, argv + std::min(argc, 1));
  words.insert(words.end(), at, end);
  words.insert(words.end(), argv + std::min(argc, 1), at);
  return words;
}

} // namespace

int run_cli(int argc, char** argv) {
  static const auto damaged = "error[" + std::string{kind_of(ec::journal_corrupt).number} + "]: ";
  storage::begin_map_line_with(damaged.c_str());
  console to;
  try {
    CLI::App app{"Troupe runs graphs of work durably: what has ended is never lost.", "troupe"};
    request r;
    add_all(app, r);
    auto words = with_common_options_last(argc, argv);
    if (auto empty = empty_option(words))
      return to.fail(*empty);
    try {
      app.parse(argc, words.data());
    } catch (const CLI::ParseError& e) {
      return explain(app, e, to);
    }
    if (auto empty = empty_option(app))
      return to.fail(*empty);
    return r.act(to);
  } catch (const std::exception& e) {
    return to.fail({fault::unexpected, {}, e.what()});
  }
}

} // namespace troupe::node
