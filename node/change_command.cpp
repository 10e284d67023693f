#include "node/change_command.hpp"

#include "node/client/node_client.hpp"
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

/// What is wrong with what was asked for.
std::optional<trouble> contradiction(const change_options& x) {
  auto wrong = [](std::string what, std::string why, std::string next) {
    return trouble{fault::bad_usage, std::move(what), std::move(why), std::move(next)};
  };
  if (!x.ids.empty() && !x.which.is_empty())
    return wrong("ids and a filter do not go together", "it is not clear which jobs are meant",
                 "leave one of them out");
  if (x.ids.empty() && x.which.is_empty())
    return wrong("no job is named",
                 "it takes ids, or a filter: --state, --queue, --label or --search",
                 "troupe jobs " + x.step + " --help");
  if (!x.ids.empty() && x.dry_run)
    return wrong("--dry-run goes with a filter",
                 "of jobs that are named it is clear which they are", "leave it out");
  if (x.ids.empty() && (!x.reason.empty() || !x.from.empty()))
    return wrong("--reason and --from go with ids", "a filter's jobs may differ in all",
                 "leave it out");
  if (x.ids.empty() && x.dry_run == x.yes)
    return trouble{fault::not_confirmed, "this changes every job of the filter"};
  return {};
}

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
    if (how_ == format::json && options_.step != "remove")
      to_.out_json(options_.ids.size() == 1 && all_.size() == 1 ? all_.front() : value{all_});
    return to_.flush() ? code : to_.fail(fault::output_failed);
  }

  int change_all() {
    auto done = node_.change_all(options_.step, options_.which, options_.dry_run);
    if (!done)
      return to_.fail(done.trouble());
    if (how_ == format::table)
      to_.out(text_of_all(*done));
    else
      show(to_, done->raw, how_);
    return done->failed ? to_.fail(*done->failed) : flushed(to_);
  }

private:
  std::optional<trouble> change_one(const std::string& text) {
    auto id = node_.find(text);
    if (!id)
      return id.trouble();
    if (options_.step == "remove") {
      auto wrong = node_.remove(*id);
      if (!wrong && how_ == format::table)
        to_.out(to_string(*id) + "  removed\n");
      return wrong;
    }
    auto job = options_.step == "retry" ? node_.retry(*id, options_.from)
                                        : node_.change(*id, options_.step, options_.reason);
    if (!job)
      return job.trouble();
    if (how_ == format::table)
      to_.out(done_text(options_.step, *job) + "\n");
    else if (how_ == format::ndjson)
      to_.out_line(job->raw);
    else
      all_.push_back(std::move(job->raw));
    return {};
  }

  std::string text_of_all(const client::bulk_outcome& x) const {
    auto text = (options_.dry_run ? "would " + options_.step + " " : options_.step + ": ")
                + counted(static_cast<std::size_t>(x.jobs), "job");
    if (x.refused > 0)
      text += ", " + std::to_string(x.refused) + " refused";
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
  if (auto filter = filter_of(options.which); !filter)
    return to.fail(filter.trouble());
  auto at = node_of(options.at);
  if (!at)
    return to.fail(at.trouble());
  client::node_client node{std::move(*at)};
  changer x{to, node, options, how};
  return options.ids.empty() ? x.change_all() : x.change_each();
}

} // namespace troupe::node
