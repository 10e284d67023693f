#include "node/submit_command.hpp"

#include "core/duration.hpp"
#include "core/names.hpp"
#include "graph_json/exact_json.hpp"
#include "graph_json/json_reader.hpp"
#include "graph_json/value_json.hpp"
#include "node/client/event_follower.hpp"
#include "node/client/job_json.hpp"
#include "node/client/refusal.hpp"
#include "node/graph_file.hpp"
#include "node/http/job_request.hpp"
#include "node/job_ending.hpp"
#include "node/job_states.hpp"
#include "node/job_watch.hpp"
#include "node/show.hpp"
#include "node/store_text.hpp"

#include <thread>

namespace troupe::node {

namespace {

using std::chrono::milliseconds;

/// Beyond `--wait`, for the result of a job that is known to have ended.
constexpr std::optional<milliseconds> conclusion_time{5'000};

/// Nothing: without an end.
answer<std::optional<milliseconds>> limit_of(const std::string& text) {
  if (text.empty())
    return std::optional<milliseconds>{};
  auto limit = core::parse_duration(text);
  if (!limit)
    return trouble{fault::bad_usage, core::quoted(text) + " is no duration",
                   "a duration looks like 30s or 5m",
                   "--wait=30s, or --wait alone to wait for the "
                   "end"};
  return std::optional{*limit};
}

/// The graph as JSON: that of a file, or an id in quotes.
answer<std::string> graph_of(const std::string& text) {
  if (parse_graph_id(text))
    return "\"" + text + "\"";
  auto read = read_text(text);
  if (!read)
    return read.trouble();
  auto parsed = graph_json::parse_exact(*read, graph_json::graph_levels);
  if (!parsed)
    return trouble{fault::invalid_graph, text + " is not JSON", parsed.error().detail};
  if (!parsed->rounded.empty())
    return trouble{fault::invalid_graph, text + " cannot be kept as it is",
                   parsed->rounded.front().pointer + ": " + parsed->rounded.front().detail};
  return graph_json::to_json(parsed->content);
}

/// What the options say that the node would refuse; nothing if all can be sent.
std::optional<trouble> wrong_option(const submit_options& x) {
  auto wrong = [](const std::string& text, const char* is, std::string why, std::string next) {
    return trouble{fault::bad_usage, core::quoted(text) + " is no " + is, std::move(why),
                   std::move(next)};
  };
  for (auto& [name, text] :
       {std::pair{"--retention", x.retention}, {"--expires-in", x.expires_in}}) {
    auto duration = core::parse_duration(text.value_or("1s"));
    if (!duration || duration->count() <= 0)
      return wrong(*text, "duration above 0", "a duration looks like 30d, 12h or 90s",
                   std::string{name} + " 12h");
  }
  if (x.queue && !core::is_name(*x.queue))
    return wrong(*x.queue, "name of a queue", "a name is 1 to 128 of A-Z a-z 0-9 _ . : -",
                 "--queue nightly");
  if (auto& key = x.idempotency_key; !key.empty() && !http::idempotency_key_of(&key))
    return wrong(key, "idempotency key",
                 "it has 1 to " + std::to_string(limits::idempotency_key_bytes_max)
                     + " printable characters of ASCII, no spaces",
                 "--idempotency-key nightly-2026-01-31");
  return {};
}

answer<client::submission> submission_of(const submit_options& x) {
  if (auto wrong = wrong_option(x))
    return *wrong;
  client::submission made;
  auto graph = graph_of(x.graph);
  if (!graph)
    return graph.trouble();
  made.graph = std::move(*graph);
  if (x.input) {
    auto input = read_input(*x.input);
    if (!input)
      return input.trouble();
    made.input = graph_json::to_json(*input);
  }
  for (auto& text : x.labels) {
    auto label = label_of(text);
    if (!label)
      return label.trouble();
    made.labels.insert(*label);
  }
  made.queue = x.queue;
  made.retention = x.retention;
  made.expires_in = x.expires_in;
  made.max_parallel = x.max_parallel;
  made.idempotency_key = x.idempotency_key;
  return made;
}

/// What the node found wrong, with its places in the file instead of the request.
trouble in_file(trouble x, const std::string& file) {
  constexpr std::string_view member = "/graph";
  for (auto& wrong : x.found)
    if (wrong.pointer.starts_with(member)) {
      wrong.pointer = file + ": " + wrong.pointer.substr(member.size());
      if (x.kind->name == "invalid_spec")
        x.next = "correct what is listed; `troupe graphs validate FILE` checks a graph";
    }
  return x;
}

/// Asks until a job has ended or the time is over; a node that goes away meanwhile is waited for.
class end_wait {
public:
  end_wait(client::node_client& node, const interrupts& signals, job_id id,
           std::optional<milliseconds> limit)
      : node_(node), signals_(signals), id_(id), limit_(limit) {}

  answer<client::told_job> run() {
    for (;;) {
      auto left = limit_ ? std::max(*limit_ - since(begun_), milliseconds{0}) : client::result_wait;
      auto job = node_.result(id_, std::min(left, client::result_wait),
                              [this] { return signals_.caught() == 0; });
      if (auto signal = signals_.caught(); signal != 0 && (!job || !terminal(job->info.state)))
        return given_up(signal);
      if (job ? terminal(job->info.state) : !client::may_pass(job.trouble()))
        return job;
      if (left == left.zero())
        return job;
      if (job)
        heard_ = clock::now();
      else if (since(heard_) > client::reconnect_max)
        return job;
      else
        rest(left);
    }
  }

private:
  using clock = std::chrono::steady_clock;

  static milliseconds since(clock::time_point x) {
    return std::chrono::duration_cast<milliseconds>(clock::now() - x);
  }
  /// Until it is to be tried again, or a signal comes.
  void rest(milliseconds left) const {
    auto until = clock::now() + std::min(left, client::reconnect_most);
    while (clock::now() < until && signals_.caught() == 0)
      std::this_thread::sleep_for(client::look_every);
  }
  trouble given_up(int signal) const {
    return {fault_of(signal),
            {},
            {},
            "the job goes on; `troupe jobs result " + to_string(id_) + " --wait` asks again"};
  }

  client::node_client& node_;
  const interrupts& signals_;
  job_id id_;
  std::optional<milliseconds> limit_;
  clock::time_point begun_ = clock::now();
  clock::time_point heard_ = begun_; ///< When the node was there last.
};

/// Shows what a job has come to. Its exit code.
int conclude(console& to, client::node_client& node, const client::told_job& job, format how,
             bool shows_result) {
  auto completed = job.info.state == job_state::completed;
  auto failures = node.failures(job.info);
  if (!failures)
    return to.fail(failures.trouble());
  auto all = job.raw;
  all["failures"] = to_value(*failures);
  if (shows_result && how != format::table)
    show(to, all, how);
  else if (shows_result && completed)
    to.out_json(job.info.result);
  if (!to.flush())
    return to.fail({fault::output_failed,
                    {},
                    {},
                    "`troupe jobs result " + to_string(job.info.id) + "` shows it again"});
  auto wrong = ending_of(job.info, *failures, job.info.in(vertex_state::failed),
                         "troupe jobs get " + to_string(job.info.id));
  return wrong ? to.fail(*wrong) : number(exit_code::ok);
}

/// Shows a job up to its end, then its result, unless a line for each event was wanted.
int follow(console& to, client::node_client& node, const job_info& job,
           std::optional<milliseconds> limit, format how, bool is_watch) {
  interrupts signals;
  job_watch watch{to, node, signals, job, how};
  if (auto wrong = watch.run(limit))
    return to.fail(*wrong);
  end_wait end{node, signals, job.id, limit ? conclusion_time : limit}; // It may be gone just now.
  auto ended = end.run();
  if (!ended)
    return to.fail(ended.trouble());
  return conclude(to, node, *ended, how, is_watch ? how == format::json : how != format::ndjson);
}

/// The node and the job that were named.
struct found_job {
  client::node_client node;
  job_id id;
};

answer<found_job> job_of(const target_options& at, const std::string& id) {
  auto place = node_of(at);
  if (!place)
    return place.trouble();
  client::node_client node{std::move(*place)};
  auto found = node.find(id);
  if (!found)
    return found.trouble();
  return found_job{std::move(node), *found};
}

trouble gone_trouble(const std::string& id) {
  return {error{ec::no_such_job, "an earlier request with this key has made job " + id
                                     + ", which was deleted since; another key makes a new one"}};
}

} // namespace

int submit_job(console& to, const submit_options& options, format how) {
  auto limit = limit_of(options.wait.value_or(""));
  if (!limit)
    return to.fail(limit.trouble());
  auto asked = submission_of(options);
  if (!asked)
    return to.fail(asked.trouble());
  auto place = node_of(options.at);
  if (!place)
    return to.fail(place.trouble());
  client::node_client node{std::move(*place)};
  bool replayed = false;
  auto job = node.submit(*asked, &replayed);
  if (!job)
    return to.fail(in_file(job.trouble(), options.graph));
  auto id = to_string(job->info.id);
  auto gone = client::is_gone(job->raw);
  if (gone && options.wait)
    return to.fail(gone_trouble(id));
  if (replayed)
    to.err(std::string{"note: an earlier request with this key has made the job"}
           + (gone ? ", which was deleted since" : "") + "\n");
  if (options.wait) {
    to.err("job " + id + "\n");
    return follow(to, node, job->info, *limit, how, false);
  }
  if (how == format::table)
    to.out(id + "\n");
  else
    show(to, job->raw, how);
  return flushed(to, "the job is made; `troupe jobs watch " + id + "` follows it");
}

int watch_job(console& to, const watch_options& options, format how) {
  auto limit = limit_of(options.wait.value_or(""));
  if (!limit)
    return to.fail(limit.trouble());
  auto found = job_of(options.at, options.id);
  if (!found)
    return to.fail(found.trouble());
  auto job = found->node.get(found->id);
  if (!job)
    return to.fail(job.trouble());
  return follow(to, found->node, job->info, *limit, how, true);
}

int show_result(console& to, const watch_options& options, format how) {
  auto limit = limit_of(options.wait.value_or(""));
  if (!limit)
    return to.fail(limit.trouble());
  auto found = job_of(options.at, options.id);
  if (!found)
    return to.fail(found.trouble());
  auto job = found->node.result(found->id); // A node that is not there at first is not waited for.
  if (job && !terminal(job->info.state) && options.wait) {
    interrupts signals;
    job = end_wait{found->node, signals, found->id, *limit}.run();
  }
  if (!job)
    return to.fail(job.trouble());
  if (terminal(job->info.state))
    return conclude(to, found->node, *job, how, true);
  trouble x{error{ec::timed_out, std::string{"it is "} + to_string(job->info.state)},
            "troupe jobs result " + to_string(found->id) + " --wait"};
  x.what = "job " + to_string(found->id) + " has not ended";
  return to.fail(x);
}

} // namespace troupe::node
