#include "node/run_command.hpp"

#include "graph_json/graph_json.hpp"
#include "graph_json/value_json.hpp"
#include "node/command_runtime.hpp"
#include "node/data_path.hpp"
#include "node/graph_file.hpp"
#include "node/interrupts.hpp"
#include "node/job_ending.hpp"
#include "node/open_files.hpp"
#include "node/run_checks.hpp"
#include "node/run_plan.hpp"
#include "node/run_view.hpp"
#include "node/set_option.hpp"
#include "node/show.hpp"
#include "node/target.hpp"
#include "node/text.hpp"

#include <algorithm>
#include <limits>

namespace troupe::node {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 50ms; ///< For signals and the clock, while no event comes.

/// The job that this run follows.
struct chosen_job {
  job_id id;
  std::string name;        ///< Of its graph.
  std::uint64_t known = 0; ///< Events that happened before this run.
};

class runner {
public:
  runner(console& to, const run_options& options, format how)
      : to_(to), options_(options), how_(how) {}

  int run();

private:
  std::optional<trouble> prepare();
  std::optional<trouble> refused_directory() const;
  int show_plan();
  answer<chosen_job> choose(runtime& rt);
  answer<chosen_job> resume(runtime& rt, const job_info& job);
  std::optional<trouble> check_stored(runtime& rt, const job_info& job) const;
  answer<chosen_job> submit(runtime& rt);
  void tell_others(const std::vector<job_info>& unfinished);
  trouble unshown(const chosen_job& job, const progress& seen) const;
  std::optional<trouble> follow(runtime& rt, const chosen_job& job, run_view& view);
  bool show(const event& x, const chosen_job& job, run_view& view);
  int conclude(runtime& rt, const chosen_job& job, const progress& seen);
  std::string going_on() const;
  std::string looking_again(job_id id) const;
  std::string last_words() const;
  show_mode mode() const;

  console& to_;
  const run_options& options_;
  format how_;
  std::optional<graph_spec> graph_; ///< Of the file.
  value input_;
  interrupts signals_;
};

/// Everything that can be refused before a data directory is touched.
std::optional<trouble> runner::prepare() {
  if (options_.input) {
    auto input = read_input(*options_.input);
    if (!input)
      return input.trouble();
    input_ = std::move(*input);
  }
  if (options_.file.empty())
    return {};
  auto graph = valid_graph(to_, options_.file, options_.sets, options_.until);
  if (!graph)
    return graph.trouble();
  graph_ = std::move(*graph);
  if (auto wrong =
          needs_node(*graph_, options_.file, "troupe serve, then troupe submit " + options_.file))
    return wrong;
  return options_.from ? check_vertex(*graph_, *options_.from) : std::nullopt;
}

/// Without a FILE there is nothing to make a directory for.
std::optional<trouble> runner::refused_directory() const {
  return options_.file.empty() ? no_data_at(options_.data) : backup_at(options_.data);
}

int runner::show_plan() {
  auto plan = plan_of(*graph_, options_.from);
  if (how_ == format::table)
    to_.out(plan_text(plan));
  else if (how_ == format::json)
    to_.out_json(plan);
  else
    to_.out_line(plan);
  return to_.flush() ? number(exit_code::ok) : to_.fail(fault::output_failed);
}

void runner::tell_others(const std::vector<job_info>& unfinished) {
  if (!unfinished.empty())
    to_.err("note: " + counted(unfinished.size(), "unfinished job") + " in "
            + options_.data.string() + "; `troupe run --resume" + data_option(options_.data)
            + "` continues the newest\n");
}

answer<chosen_job> runner::choose(runtime& rt) {
  auto unfinished = rt.list({{}, {}, true, std::numeric_limits<std::size_t>::max()});
  if (!unfinished)
    return trouble{unfinished.error()};
  if (options_.resume && !unfinished->empty())
    return resume(rt, unfinished->front());
  if (!graph_)
    return trouble{fault::nothing_to_resume,
                   "there is no unfinished job in " + options_.data.string()};
  tell_others(*unfinished);
  return submit(rt);
}

/// What is wrong with the graph of a job that goes on, unless FILE is that graph.
std::optional<trouble> runner::check_stored(runtime& rt, const job_info& job) const {
  if (graph_)
    return {};
  auto graph = rt.graph(job.graph, job.ns);
  if (!graph)
    return trouble{graph.error()};
  return needs_node(*graph, "the unfinished job " + to_string(job.id),
                    "troupe serve" + data_option(options_.data) + " goes on with it");
}

answer<chosen_job> runner::resume(runtime& rt, const job_info& job) {
  if (graph_)
    if (auto id = graph_json::id_of(*graph_); id != job.graph)
      return trouble{fault::other_graph,
                     "the unfinished job " + to_string(job.id) + " runs another graph",
                     "it runs graph " + to_string(job.graph) + ", " + options_.file
                         + " (with --set and --until) is graph " + to_string(id)};
  if (auto wrong = check_stored(rt, job))
    return *wrong;
  auto info = rt.get(job.id);
  if (!info)
    return trouble{info.error()};
  if (auto released = rt.release(job.id); !released)
    return trouble{released.error()};
  if (info->state == job_state::paused)
    if (auto resumed = rt.resume(job.id, "troupe run --resume"); !resumed)
      return trouble{resumed.error()};
  auto graph = graph_ ? graph_->name : info->graph_name;
  return chosen_job{job.id, graph, info->events};
}

/// The newest job here that ran the graph.
answer<job_id> earlier_job(runtime& rt, const graph_id& graph) {
  auto jobs = rt.list({{}, {}, false, std::numeric_limits<std::size_t>::max()});
  if (!jobs)
    return trouble{jobs.error()};
  auto found = std::ranges::find(*jobs, graph, &job_info::graph);
  if (found == jobs->end())
    return trouble{fault::nothing_to_reuse};
  return found->id;
}

answer<chosen_job> runner::submit(runtime& rt) {
  auto graph = rt.add_graph(*graph_);
  if (!graph)
    return trouble{graph.error()};
  job_spec spec;
  spec.graph = *graph;
  spec.input = input_;
  spec.max_parallel = options_.max_parallel;
  if (options_.from) {
    auto earlier = earlier_job(rt, *graph);
    if (!earlier)
      return earlier.trouble();
    spec.reuse = reuse_spec{*earlier, *options_.from};
  }
  auto job = rt.submit(spec);
  if (!job)
    return trouble{job.error()};
  return chosen_job{*job, graph_->name, 0};
}

show_mode runner::mode() const {
  if (how_ == format::ndjson)
    return show_mode::quiet;
  return to_.can_draw() ? show_mode::drawn : show_mode::plain;
}

/// False once standard output is gone.
bool runner::show(const event& x, const chosen_job& job, run_view& view) {
  view.take(x, x.id > job.known);
  return how_ != format::ndjson || to_.out_line(to_value(x));
}

/// What the user can do about a job that has not ended.
std::string runner::going_on() const {
  if (options_.memory)
    return "run it again; with --memory nothing was kept";
  return "`troupe run --resume" + data_option(options_.data) + "` goes on where it stopped";
}

/// The same for one that has.
std::string runner::looking_again(job_id id) const {
  if (options_.memory)
    return "run it again; with --memory nothing was kept";
  return "`troupe jobs get " + to_string(id) + data_option(options_.data)
         + "` shows the result of the job";
}

/// What a second signal leaves on the screen, below what is drawn there.
std::string runner::last_words() const {
  return (mode() == show_mode::drawn ? "\n" : "") + ("ended at once; " + going_on()) + "\n";
}

/// That an event cannot be written.
trouble runner::unshown(const chosen_job& job, const progress& seen) const {
  return {fault::output_failed, {}, {}, seen.ended() ? looking_again(job.id) : going_on()};
}

/// Shows the job's events up to its end, a signal, or trouble.
std::optional<trouble> runner::follow(runtime& rt, const chosen_job& job, run_view& view) {
  auto reader = rt.events(job.id);
  if (!reader)
    return trouble{reader.error()};
  while (!view.seen().ended()) {
    if (auto signal = signals_.caught(); signal != 0)
      return trouble{fault_of(signal), {}, {}, going_on()};
    auto events = reader->next(look_every);
    if (!events && events.code() != ec::timed_out)
      return trouble{events.error()};
    if (events)
      for (auto& x : *events)
        if (!show(x, job, view))
          return unshown(job, view.seen());
    if (events && how_ == format::ndjson && !to_.flush())
      return unshown(job, view.seen());
    view.tick(run_view::clock::now());
  }
  return {};
}

int runner::conclude(runtime& rt, const chosen_job& job, const progress& seen) {
  auto info = rt.get(job.id);
  if (!info)
    return to_.fail(info.error());
  auto completed = info->state == job_state::completed;
  if (how_ == format::json) {
    auto all = to_value(*info);
    all["job"] = to_string(info->id);
    all["result"] = info->result;
    all["failures"] = to_value(seen.failures());
    to_.out_json(all);
  } else if (how_ == format::table && completed) {
    to_.out_json(info->result);
  }
  if (!to_.flush())
    return to_.fail({fault::output_failed, {}, {}, looking_again(job.id)});
  auto next = options_.memory ? std::string{"see the failures above"}
                              : "troupe jobs get " + to_string(job.id) + data_option(options_.data);
  auto wrong = ending_of(*info, seen.failures(), seen.failed(), next);
  return wrong ? to_.fail(*wrong) : number(exit_code::ok);
}

int runner::run() {
  if (auto wrong = prepare())
    return to_.fail(*wrong);
  if (options_.dry_run)
    return show_plan();
  if (options_.from)
    if (auto none = no_data_at(options_.data))
      return to_.fail(fault::nothing_to_reuse);
  if (auto wrong = refused_directory())
    return to_.fail(*wrong);
  raise_open_files(); // For the programs that run at once.
  auto config = command_runtime(options_.data);
  config.memory = options_.memory;
  config.space_wait = std::chrono::milliseconds::zero(); // Someone sees it and can act.
  config.report = [this](const std::string& text) { to_.err("warning: " + one_line(text) + "\n"); };
  auto rt = runtime::open(config);
  if (!rt)
    return to_.fail(rt.error());
  auto job = choose(*rt);
  if (!job)
    return to_.fail(job.trouble());
  run_view view{to_, mode(), job->name.empty() ? to_string(job->id) : job->name};
  if (how_ == format::table)
    to_.err((job->known > 0 ? "resuming job " : "job ") + to_string(job->id) + "\n");
  signals_.say_if_ended_at_once(last_words());
  auto wrong = follow(*rt, *job, view);
  if (wrong)
    rt->close();
  view.finish();
  return wrong ? to_.fail(*wrong) : conclude(*rt, *job, view.seen());
}

} // namespace

int run_graph(console& to, const run_options& options, format how) {
  return runner{to, options, how}.run();
}

} // namespace troupe::node
