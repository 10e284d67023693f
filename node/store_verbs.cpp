#include "node/store_verbs.hpp"

#include "node/export_command.hpp"
#include "node/import_command.hpp"
#include "node/store_commands.hpp"

#include <CLI/CLI.hpp>

namespace troupe::node {

namespace {

constexpr auto backup_footer =
    R"(Jobs may run meanwhile, here or in another process. All that was acknowledged before is in the
copy; every row, record and value is checked on the way. TARGET gets its name when all of it is on
the disk. The owner keeps what it would delete while this runs.

Examples:
  troupe backup --data /var/lib/troupe /mnt/backup/monday
  troupe verify /mnt/backup/monday)";

constexpr auto restore_footer =
    R"(The new directory belongs to the same node, in a new incarnation, so that it never passes for what
was seen before. Jobs that had not ended go on when it is opened; what ran runs again.

Example:
  troupe restore /mnt/backup/monday --data /var/lib/troupe.new)";

constexpr auto verify_footer =
    R"(Reads everything: checksums of every page, row, record and value, whether each record fits its job,
indexes and counts in both directions, the snapshot against the journal. Changes nothing. The exit
code is 1 if anything is wrong.

Examples:
  troupe verify /mnt/backup/monday
  troupe verify --data /var/lib/troupe --online   beside the process that writes to it
  troupe verify -o json | jq .findings)";

constexpr auto compact_footer =
    R"(Deleted jobs leave free pages in the snapshot's file, which are used again; only this gives them
back to the disk. No process may have the directory open.

Example:
  troupe compact --data /var/lib/troupe)";

constexpr auto export_footer =
    R"(Lines of JSON: a header, then graphs, values, jobs and rows, then a last line that counts them. A job
has readable fields and its records, which is what import reads. Jobs may run meanwhile.

Examples:
  troupe export --output jobs.ndjson
  troupe export --state failed --since 2026-01-31T00:00:00Z | jq 'select(.job) | .error')";

constexpr auto import_footer =
    R"(Takes the lines of an export into a directory that no process has open, or makes it. Each job comes
in whole or not at all; jobs that had not ended go on when the directory is opened.

Example:
  troupe export --data a | troupe import - --data b)";

/// What was asked for: filled while arguments are read.
struct request {
  std::string path; ///< Of a backup, or of what is checked.
  bool online = false;
  export_options out;
  import_data_options in;
};

/// One table of verbs.
void add_copies(CLI::App& app, const cli_targets& cli, request& r) {
  auto& backup =
      add_verb(app, cli, "backup", "Copy a data directory, also while it is in use", backup_footer,
               [&r, cli](console& to) { return back_up_data(to, cli.data, r.path, cli.how); });
  backup.add_option("TARGET", r.path, "A directory that is not there yet")->required();
  auto& restore =
      add_verb(app, cli, "restore", "Make a data directory of a backup", restore_footer,
               [&r, cli](console& to) { return restore_data(to, r.path, cli.data, cli.how); });
  restore.add_option("BACKUP", r.path, "What `troupe backup` has made")->required();
  auto& verify = add_verb(app, cli, "verify", "Check everything in a data directory or a backup",
                          verify_footer, [&r, cli](console& to) {
                            auto& path = r.path.empty() ? cli.data : r.path;
                            return verify_data(to, path, r.online, cli.how);
                          });
  verify.add_option("PATH", r.path, "A backup or a data directory (default: that of --data)");
  verify.add_flag("--online", r.online, "Beside the process that writes to it");
  auto& compact = add_verb(app, cli, "compact", "Give the space of deleted jobs back to the disk",
                           compact_footer,
                           [&r, cli](console& to) { return compact_data(to, cli.data, cli.how); });
  for (auto verb : {&backup, &restore, &verify, &compact}) {
    verb->group("Keep");
    add_data_option(*verb, cli.data);
    add_format_option(*verb, cli.how);
  }
}

void add_lines(CLI::App& app, const cli_targets& cli, request& r) {
  auto& o = r.out;
  auto& out = add_verb(app, cli, "export", "Write jobs as lines of JSON", export_footer,
                       [&r, cli](console& to) {
                         r.out.data = cli.data;
                         return export_data(to, r.out);
                       });
  out.add_option("--output", o.output, "Where to write it (default: standard output)")
      ->type_name("FILE");
  out.add_option("--state", o.state, "Only jobs in this state")->type_name("STATE");
  out.add_option("--queue", o.queue, "Only jobs and rows of this queue")->type_name("QUEUE");
  out.add_option("--since", o.since, "Only jobs made then or later")->type_name("TIME");
  out.add_flag_callback(
      "--no-rows", [&o] { o.rows = false; }, "Without the rows that a program has stored");
  auto& i = r.in;
  auto& in = add_verb(app, cli, "import", "Take in what `troupe export` wrote", import_footer,
                      [&r, cli](console& to) {
                        r.in.data = cli.data;
                        return import_data(to, r.in);
                      });
  in.add_option("FILE", i.file, "The lines, or - for standard input")->required();
  in.add_option("--shards", i.shards, "Of a directory that is made by this (default: 4)")
      ->type_name("N")
      ->check(CLI::Range(1u, 4096u).description(""));
  in.add_flag("--skip-existing", i.skip_existing, "Leave as it is what is there");
  for (auto verb : {&out, &in}) {
    verb->group("Keep");
    add_data_option(*verb, cli.data);
  }
}

} // namespace

void add_store_verbs(CLI::App& app, const cli_targets& cli) {
  static request r; // One command line a process.
  add_copies(app, cli, r);
  add_lines(app, cli, r);
}

} // namespace troupe::node
