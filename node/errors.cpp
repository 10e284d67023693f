#include "node/errors.hpp"

#include "node/text.hpp"

#include <cassert>

namespace troupe::node {

namespace {

using enum exit_code;

/// In the order of `fault`, then of `ec`.
constexpr error_kind kinds[] = {
    {"E0001", "bad_usage", usage, "this is not how it is called",
     "an argument is missing, unknown or malformed", "troupe --help"},
    {"E0002", "unreadable_file", not_found, "a file cannot be read", "the system refused it",
     "check the path and its permissions"},
    {"E0003", "invalid_graph", failed, "the graph is not valid", "see the lines above",
     "correct what is listed; `troupe graphs validate FILE` checks again"},
    {"E0004", "bad_input", usage, "the input is not JSON", "--input takes JSON, or @FILE with JSON",
     "quote it for the shell: --input '{\"n\": 1}'"},
    {"E0005", "bad_set", usage, "this cannot be set",
     "--set takes VERTEX.KEY=VALUE, KEY being a path under the vertex's config",
     "troupe run FILE --set VERTEX.KEY=VALUE --dry-run"},
    {"E0006", "unknown_vertex", not_found, "the graph has no such vertex",
     "names are compared letter by letter", "`troupe run FILE --dry-run` lists the vertices"},
    {"E0007", "nothing_to_resume", not_found, "there is no unfinished job to resume",
     "every job here has ended, and no FILE was given to start anew",
     "name a FILE, or another directory with --data"},
    {"E0008", "other_graph", conflict, "the unfinished job runs another graph",
     "FILE (with --set and --until) is not what that job was made from",
     "--resume without FILE continues it; without --resume FILE starts as a new job"},
    {"E0009", "nothing_to_reuse", not_found, "there is no earlier job of this graph",
     "--from reuses what an earlier job of exactly this graph has recorded",
     "run the graph once without --from, in the same --data directory"},
    {"E0010", "no_data_directory", not_found, "there is no data directory",
     "nothing was ever stored there", "name the directory with --data, or `troupe run` a graph"},
    {"E0011", "unknown_job", not_found, "there is no such job",
     "no job of this data directory has this id", "`troupe jobs list` shows the ids"},
    {"E0012", "ambiguous_job", usage, "several jobs have ids that begin so",
     "a prefix of an id must fit one job only", "give more letters of the id"},
    {"E0013", "job_failed", failed, "the job has failed", "a vertex has failed",
     "`troupe jobs get ID` shows each failed vertex"},
    {"E0014", "job_cancelled", failed, "the job was cancelled", "someone asked for it",
     "run the graph again"},
    {"E0015", "interrupted", exit_code::interrupted, "interrupted before the job's end",
     "Ctrl-C (SIGINT)", "`troupe run --resume` goes on where it stopped"},
    {"E0016", "terminated", exit_code::terminated, "ended before the job's end",
     "SIGTERM, or SIGHUP: the terminal was closed",
     "`troupe run --resume` goes on where it stopped"},
    {"E0017", "output_failed", failed, "the output cannot be written",
     "standard output was closed, or its disk is full",
     "repeat it with an output that takes all of it"},
    {"E0019", "damaged_store", failed, "the store is damaged", "the findings are listed above",
     "do what each finding says; `docs/operations.md` has the way back from a backup"},
    {"E0020", "target_in_use", conflict, "the target cannot be written",
     "it is there already and not empty", "name a directory that is not there yet"},
    {"E0021", "bad_export", failed, "a line cannot be imported", "it is not what an export holds",
     "export again; what stands before the line is in, --skip-existing goes on from there"},
    {"E0022", "already_there", conflict, "it is there already", "an import changes nothing that is",
     "--skip-existing leaves as it is what is there"},
    {"E0023", "not_confirmed", usage, "this deletes jobs for good", "nobody has confirmed it",
     "look with --dry-run, then repeat with --yes"},
    {"E0040", "invalid_config", failed, "the configuration is not valid", "see the lines above",
     "correct what is listed; `troupe serve --check -c FILE` checks again"},
    {"E0041", "needs_key", unauthorised, "others could call this node, and it has no key",
     "the address is not loopback, and whoever reached it would be admin",
     "troupe keys create --role admin, or http.address 127.0.0.1"},
    {"E0042", "broken_audit", failed, "the audit log does not hang together",
     "a line was changed, removed or put in",
     "compare the files with a copy; see docs/security.md"},
    {"E0043", "unknown_key", not_found, "there is no such key", "it was never made, or is revoked",
     "`troupe keys list` shows the ids"},
    {"E0044", "unhealthy", failed, "something here is not as it should be",
     "the findings are listed above", "do what each finding says"},
    {"E0045", "broken_keys", failed, "the file of keys is malformed",
     "it is not what this program writes",
     "restore it from a copy; without one, remove it and make new keys: `troupe keys create`"},
    {"E0024", "cannot_listen", unavailable, "the node cannot listen on its address",
     "another process has the port, or the address is none of this machine's",
     "choose another one with --port or --address, or end the process that has it"},
    {"E0030", "bad_url", usage, "this is no address of a node",
     "an address looks like http://127.0.0.1:7700", "name it with --url, or in TROUPE_URL"},
    {"E0031", "unreachable", unavailable, "the node cannot be reached", "nobody answers there",
     "`troupe dev` starts a node here; --url or TROUPE_URL names another one"},
    {"E0032", "strange_answer", unavailable, "what answers there is no node",
     "its answer is none that a node gives", "check the address, and the versions of both"},
    {"E0033", "refused_by_node", failed, "the node has refused it",
     "this version does not know the node's reason", "use the version that the node has"},
    {"E0018", "unexpected", failed, "something went wrong that should not", "a defect of troupe",
     "please report it with the command and its output"},

    {"E0101", "no_such_job", not_found, "there is no such job",
     "the id was never issued, or its retention has passed", "`troupe jobs list` shows the ids"},
    {"E0102", "no_such_graph", not_found, "there is no such graph",
     "no graph of this id is stored here", "run or register the graph's file first"},
    {"E0103", "no_such_vertex", not_found, "the graph has no such vertex",
     "names are compared letter by letter", "`troupe jobs logs ID` names those that began"},
    {"E0104", "stale_token", conflict, "the attempt is no longer current",
     "it was lost and may already run elsewhere", "drop the result; another attempt reports it"},
    {"E0105", "illegal_request", conflict, "the job's state does not allow it",
     "nothing has changed", "`troupe jobs get ID` shows the state"},
    {"E0106", "invalid_spec", failed, "the request is not valid",
     "a name, a size or the graph is wrong", "correct what the reason names"},
    {"E0107", "too_large", failed, "it is too large", "a value is beyond its limit",
     "pass large data by reference, as a file"},
    {"E0108", "overloaded", unavailable, "too much is waiting already",
     "the disk lags behind or a queue is full", "repeat after a while"},
    {"E0109", "fenced", unavailable, "another node owns these jobs now", "this one has lost them",
     "ask the other node"},
    {"E0110", "journal_failed", unavailable, "the disk refused to make a change durable",
     "nothing was acknowledged that is not there",
     "check the disk, then repeat (`troupe run`: with --resume)"},
    {"E0111", "journal_corrupt", unavailable, "the data directory is damaged",
     "a checksum is wrong where data was durable", "restore the directory from a backup"},
    {"E0112", "unknown_record", conflict, "a newer troupe wrote this data directory",
     "it holds records that this version does not know", "use the version that wrote it"},
    {"E0113", "newer_format", conflict, "the data directory is of a newer format",
     "a newer troupe made it", "use the version that made it, or another directory with --data"},
    {"E0114", "wrong_node", conflict, "the data directory belongs to another node",
     "its id is not the expected one", "name this node's own directory with --data"},
    {"E0115", "already_open", unavailable, "the data directory is in use",
     "another process writes to it",
     "wait for that process or end it, or name another directory with --data"},
    {"E0116", "io_failed", unavailable, "a file operation was refused", "the system said no",
     "check the path, its permissions and the disk"},
    {"E0117", "no_space", unavailable, "the disk is full", "a file could not grow",
     "free space, then repeat (`troupe run`: with --resume)"},
    {"E0118", "blob_missing", unavailable, "a stored value is gone",
     "a record names a file that is not there", "restore the directory from a backup"},
    {"E0119", "not_ready", unavailable, "the runtime is not ready", "it is closing or has failed",
     "repeat (`troupe run`: with --resume)"},
    {"E0120", "timed_out", exit_code::timed_out, "there was no answer in time",
     "the work itself goes on", "ask again, or wait longer"},
    {"E0121", "unsupported", failed, "this machine or build cannot do it", "a part is missing",
     "see what the reason names"},
    {"E0122", "idempotency_conflict", conflict, "the idempotency key belongs to another request",
     "a job with this key was made from other input", "use a new key for a new request"},
    {"E0123", "condition_failed", conflict, "a row is not as the transaction expects",
     "somebody has changed it; nothing was written", "read it again and decide anew"},
};

constexpr std::string_view vertex_codes[] = {
    "actor_down",
    "bad_answer",
    "bad_output",
    "cancelled",
    "error",
    "exception",
    "exit_code",
    "expired",
    "failed",
    "functions_stuck",
    "invalid_config",
    "jq_compile",
    "jq_crashed",
    "jq_error",
    "jq_limit",
    "jq_outputs",
    "multiple_values",
    "no_runner",
    "output_too_deep",
    "output_too_large",
    "redelivery_limit",
    "signal",
    "spawn_failed",
    "supervisor_escalation",
    "timed_out",
    "too_large",
    "unknown_actor",
    "unknown_function",
    "unsupported",
};

constexpr std::size_t faults = static_cast<std::size_t>(last(fault{})) + 1;
static_assert(std::size(kinds) == faults + static_cast<std::size_t>(last(ec{})));

} // namespace

std::span<const error_kind> error_kinds() { return kinds; }

const error_kind& kind_of(fault x) { return kinds[static_cast<std::size_t>(x)]; }

const error_kind& kind_of(ec x) {
  assert(x != ec::none);
  return kinds[faults + static_cast<std::size_t>(x) - 1];
}

std::span<const std::string_view> vertex_problem_codes() { return vertex_codes; }

std::string to_text(const trouble& x, bool colours) {
  auto or_else = [](const std::string& text, std::string_view other) {
    return one_line(text.empty() ? other : std::string_view{text});
  };
  auto bold = colours ? "\x1b[1;31m" : "", dim = colours ? "\x1b[1m" : "",
       plain = colours ? "\x1b[0m" : "";
  std::string head = "error[" + std::string{x.kind->number} + "]";
  return bold + head + plain + ": " + or_else(x.what, x.kind->what) + "\n" + dim + "why" + plain
         + ": " + or_else(x.why, x.kind->why) + "\n" + dim + "try" + plain + ": "
         + or_else(x.next, x.kind->next) + "\n";
}

} // namespace troupe::node
