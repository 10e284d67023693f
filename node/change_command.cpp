#include "node/change_command.hpp"

#include "node/client/node_client.hpp"
#include "node/id_prefix.hpp"
#include "node/job_states.hpp"
#include "node/store_text.hpp"
#include "node/text.hpp"

namespace troupe::node {

namespace {

/// What was done to one job, for people: `cancelled`, unless it still goes on.
std::string done_text(const std::string& step, const client::told_job& job) {
  if (step == "retry")
    return to_string(job.info.id);
  return to_string(job.info.id) + "  " + to_string(job.info.state);
}

/// What a verb takes to name jobs.
std::string names_taken(const std::string& step) {
  if (step == "remove")
    return "it takes ids";
  auto ended = step == "retry" || step == "purge";
  return std::string{step == "purge" ? "it takes" : "it takes ids, or"}
         + " a filter: --state, --queue"
         + (ended ? ", --label, --search or --older-than" : ", --label or --search");
}

/// What is wrong with what was asked for.
std::optional<trouble> contradiction(const change_options& x) {
  for (auto& id : x.ids)
    if (auto short_one = unfit_prefix(id, change_prefix_min))
      return short_one;
  auto wrong = [](std::string what, std::string why, std::string next) {
    return trouble{fault::bad_usage, std::move(what), std::move(why), std::move(next)};
  };
  if (!x.ids.empty() && !x.which.is_empty())
    return wrong("ids and a filter do not go together", "it is not clear which jobs are meant",
                 "leave one of them out");
  if (x.ids.empty() && x.which.is_empty())
    return wrong("no job is named", names_taken(x.step), "troupe jobs " + x.step + " --help");
  if (!x.ids.empty() && x.dry_run)
    return wrong("--dry-run goes with a filter",
                 "of jobs that are named it is clear which they are", "leave it out");
  if (x.ids.empty() && (!x.reason.empty() || !x.from.empty()))
    return wrong("--reason and --from go with ids", "a filter's jobs may differ in all",
                 "leave it out");
  if (x.ids.empty() && !x.dry_run && !x.yes)
    return x.step == "purge"
               ? trouble{fault::not_confirmed}
               : trouble{fault::not_confirmed, "this changes every job of the filter"};
  auto ended = x.step == "purge" || x.step == "retry";
  auto filter = ended ? ended_filter_of(x.which) : unfinished_filter_of(x.which);
  return filter ? std::nullopt : std::optional{filter.trouble()};
}

std::size_t size_of(std::int64_t x) { return static_cast<std::size_t>(x); }

/// By name, the first that is refused decides on the exit code; of a filter, any.
std::optional<trouble> refusals(const client::bulk_outcome& x) {
  if (x.refused <= 0)
    return {};
  trouble told{error{ec::illegal_request, "their state does not allow it; the others are done"},
               "`troupe jobs list` shows the states"};
  told.what = counted(size_of(x.refused), "job") + (x.refused == 1 ? " was" : " were") + " refused";
  return told;
}

/// What to do when nobody could be told what was done.
constexpr auto seen_anew = "it is done; `troupe jobs list` shows the states";

/// Changes jobs of one node.
class changer {
public:
  changer(console& to, client::node_client& node, const change_options& options, format how)
      : to_(to), node_(node), options_(options), how_(how) {}

  /// The exit code.
  int change_each() {
    auto code = number(exit_code::ok);
    for (auto& id : options_.ids)
      if (auto wrong = change_one(id))
        if (auto refused = to_.fail(*wrong); code == number(exit_code::ok))
          code = refused;
    if (how_ == format::json)
      to_.out_json(options_.ids.size() == 1 && all_.size() == 1 ? all_.front() : value{all_});
    return to_.flush() ? code : to_.fail({fault::output_failed, {}, {}, seen_anew});
  }

  int change_all() {
    auto done = node_.change_all(options_.step, options_.which, options_.dry_run);
    if (!done)
      return to_.fail(done.trouble());
    if (how_ == format::table)
      to_.out(text_of_all(*done));
    else
      show(to_, done->raw, how_);
    auto wrong = done->failed ? done->failed : refusals(*done);
    if (wrong)
      return to_.fail(*wrong);
    return options_.dry_run ? flushed(to_) : flushed(to_, seen_anew);
  }

private:
  std::optional<trouble> change_one(const std::string& text) {
    auto id = node_.find(text);
    if (!id)
      return id.trouble();
    if (options_.step == "remove") {
      auto wrong = node_.remove(*id);
      if (!wrong)
        tell(to_string(*id) + "  removed",
             value::object{{"id", to_string(*id)}, {"removed", true}});
      return wrong;
    }
    auto job = options_.step == "retry" ? node_.retry(*id, options_.from)
                                        : node_.change(*id, options_.step, options_.reason);
    if (!job)
      return job.trouble();
    tell(done_text(options_.step, *job), std::move(job->raw));
    return {};
  }

  void tell(const std::string& line, value whole) {
    if (how_ == format::table)
      to_.out(line + "\n");
    else if (how_ == format::ndjson)
      to_.out_line(whole);
    else
      all_.push_back(std::move(whole));
  }

  std::string text_of_all(const client::bulk_outcome& x) const {
    auto purge = options_.step == "purge"; // As in a data directory.
    auto verb = purge ? std::string{"delete"} : options_.step;
    auto text = (options_.dry_run ? "would " + verb + " "
                 : purge          ? "deleted "
                                  : verb + ": ")
                + counted(size_of(x.jobs), "job");
    if (x.refused > 0)
      text += ", " + std::to_string(x.refused) + " refused";
    if (auto before = number_of(x.raw, "repeated"); before > 0)
      text += ", " + std::to_string(before) + " retried before";
    return text + "\n";
  }

  console& to_;
  client::node_client& node_;
  const change_options& options_;
  format how_;
  value::list all_;
};

} // namespace

int change_jobs(console& to, const change_options& options, format how) {
  if (auto wrong = contradiction(options))
    return to.fail(*wrong);
  auto at = node_of(options.at);
  if (!at)
    return to.fail(at.trouble());
  client::node_client node{std::move(*at)};
  changer x{to, node, options, how};
  return options.ids.empty() ? x.change_all() : x.change_each();
}

} // namespace troupe::node
