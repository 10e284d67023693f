#pragma once

/// What `--help` says below the options of the verbs about jobs.
namespace troupe::node {

inline constexpr auto submit_footer =
    R"(Prints the job's id once the job is durable; with --wait, shows the job up to its end, and prints
its result. The node is that of --url or TROUPE_URL, else http://127.0.0.1:7700; its key is that of
--token or TROUPE_TOKEN.

Examples:
  troupe submit etl.json --input @day.json --wait
  troupe submit etl.json --label team=data --queue nightly
  troupe submit etl.json --idempotency-key day-17   the same job, however often it is repeated
  ID=$(troupe submit etl.json)
  troupe submit $(troupe graphs register etl.json)  a graph that the node knows already)";

inline constexpr auto target_footer =
    R"(Where it looks: --data DIR is a data directory, also while a process runs jobs in it; --url URL or
TROUPE_URL is a node. Without them it is ./.troupe if that is there, else the node at
http://127.0.0.1:7700.

)";

inline constexpr auto node_footer =
    R"(Asks a node: that of --url or TROUPE_URL, else http://127.0.0.1:7700.

)";

inline constexpr auto jobs_footer =
    R"(list, get, logs and purge look into a data directory or ask a node, the others ask a node. Each verb
has its options and examples: troupe jobs list --help

Examples:
  troupe jobs list --state failed
  troupe jobs get 0198c0de
  troupe jobs watch 0198c0de
  troupe jobs cancel 0198c0de --reason 'wrong input')";

inline constexpr auto list_example = R"(Examples:
  troupe jobs list --state failed --limit 5
  troupe jobs list --search nightly
  troupe jobs list --url http://127.0.0.1:7700 --label team=data -o ndjson)";

inline constexpr auto get_example = R"(Example:
  troupe jobs get 0198c0de -o json)";

inline constexpr auto logs_example = R"(Examples:
  troupe jobs logs 0198c0de --vertex load
  troupe jobs logs 0198c0de --follow      beside the process that runs it
  troupe jobs logs 0198c0de --all -o ndjson)";

inline constexpr auto purge_example =
    R"(Deletes jobs that have ended, with their results and events. In a data directory no process may have
it open, a node may be at work; jobs that have not ended stay and do not run because of this. A node
wants a filter, and ends early if this command does.

Examples:
  troupe jobs purge --state failed --older-than 30d --dry-run
  troupe jobs purge --queue nightly --yes)";

inline constexpr auto watch_example =
    R"(Goes on while the node is restarted. The exit code is that of the job: 0 if it has completed, 1 if
not, 124 if --wait is over before.

Examples:
  troupe jobs watch 0198c0de
  troupe jobs watch 0198c0de -o ndjson    every event as a line of JSON)";

inline constexpr auto result_example =
    R"(Prints the result of a job that has completed. The exit code is 1 if it has not, and 124 while it
still runs.

Examples:
  troupe jobs result 0198c0de | jq .total
  troupe jobs result 0198c0de --wait 5m)";

inline constexpr auto change_example =
    R"(Takes the ids of jobs, or a filter that means all jobs that it fits; then --dry-run only counts
them, and --yes does it.

Examples:
  troupe jobs cancel 0198c0de --reason 'wrong input'
  troupe jobs stop --queue nightly --dry-run
  troupe jobs pause --label team=data --yes)";

inline constexpr auto retry_example =
    R"(Makes a new job of each and prints its id. What has succeeded is reused; --from runs a vertex and
all behind it again. A filter means failed jobs, unless it names another state.

Examples:
  troupe jobs retry 0198c0de
  troupe jobs retry 0198c0de --from load
  troupe jobs retry --queue nightly --yes)";

inline constexpr auto remove_example = R"(Example:
  troupe jobs remove 0198c0de             a job that has ended, with its events and result)";

inline constexpr auto stats_example = R"(Example:
  troupe stats -o json)";

} // namespace troupe::node
