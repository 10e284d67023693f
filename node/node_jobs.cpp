#include "node/node_jobs.hpp"

#include "node/client/event_follower.hpp"
#include "node/interrupts.hpp"
#include "node/job_commands.hpp"
#include "node/job_states.hpp"
#include "node/job_tables.hpp"
#include "node/out_json.hpp"
#include "node/show.hpp"
#include "node/store_text.hpp"
#include "node/text.hpp"
#include "node/told_events.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

/// Shows the events of one job, each once.
class node_log_view {
public:
  node_log_view(console& to, client::node_client& node, const logs_options& options, format how)
      : to_(to), node_(node), options_(options), how_(how) {}

  int run(const job_info& job) {
    if (job.events == 0 && !options_.follow)
      return close();
    newest_ = job.events;
    client::event_taker taker{
        [this](const event& x, std::string_view json) { return take(x, json); },
        [this] { to_.err("note: the node was restored from a backup; all is told anew\n"); },
        {},
        [this] { return may_wait(); }};
    auto wrong = client::follow_events(node_, job.id, 1, taker);
    if (lost_)
      return to_.fail(fault::output_failed);
    auto signal = signals_.caught();
    if (wrong && signal == 0)
      return to_.fail(*wrong);
    auto closed = close();
    if (signal == 0 || closed != number(exit_code::ok))
      return closed;
    return number(kind_of(fault_of(signal)).exit);
  }

private:
  /// False: it is enough.
  bool take(const event& x, std::string_view json) {
    if (is_told(x, options_.vertex, options_.all)) {
      if (how_ == format::json)
        all_.push_back(to_value(x));
      else
        lost_ = !(how_ == format::table ? to_.out(told_lines(x, options_.all))
                                        : out_json_text(to_, json) && to_.out("\n"));
    }
    return !lost_ && (options_.follow || x.id < newest_);
  }

  bool may_wait() {
    lost_ = lost_ || (how_ != format::json && !to_.flush());
    return !lost_ && signals_.caught() == 0;
  }

  /// The whole document, if it is to be one.
  int close() {
    if (how_ == format::json)
      to_.out_json(value{std::move(all_)});
    return flushed(to_);
  }

  console& to_;
  client::node_client& node_;
  const logs_options& options_;
  format how_;
  interrupts signals_;
  std::uint64_t newest_ = 0; ///< The last one that is told, unless more is waited for.
  bool lost_ = false;
  value::list all_;
};

/// All pages of a list, up to its limit; whether there are more jobs.
answer<bool> each_job(client::node_client& node, const list_options& options,
                      const std::function<bool(client::told_job&&)>& take) {
  std::string cursor;
  std::size_t taken = 0;
  do {
    auto page = node.list(options.which, cursor, options.limit - taken + 1);
    if (!page)
      return page.trouble();
    for (auto& x : page->jobs) {
      if (taken == options.limit)
        return true;
      ++taken;
      if (!take(std::move(x)))
        return trouble{fault::output_failed};
    }
    cursor = page->next;
  } while (!cursor.empty());
  return false;
}

} // namespace

int list_node_jobs(console& to, const client::endpoint& at, const list_options& options,
                   format how) {
  if (auto filter = filter_of(options.which); !filter)
    return to.fail(filter.trouble());
  client::node_client node{at};
  std::vector<job_info> jobs;
  value::list all;
  auto is_cut = each_job(node, options, [&](client::told_job&& x) {
    if (how == format::ndjson)
      return to.out_line(x.raw);
    if (how == format::json)
      all.push_back(std::move(x.raw));
    else
      jobs.push_back(std::move(x.info));
    return true;
  });
  if (!is_cut)
    return to.fail(is_cut.trouble());
  if (how == format::table)
    to.out(jobs_table(jobs));
  else if (how == format::json)
    to.out_json(value{std::move(all)});
  if (*is_cut)
    tell_more(to, "jobs");
  return flushed(to);
}

int get_node_job(console& to, const client::endpoint& at, const std::string& id, format how) {
  client::node_client node{at};
  auto found = node.find(id);
  if (!found)
    return to.fail(found.trouble());
  auto job = node.result(*found);
  if (!job)
    return to.fail(job.trouble());
  auto failures = node.failures(job->info);
  if (!failures)
    return to.fail(failures.trouble());
  if (how == format::table) {
    to.out(job_table(job->info, *failures));
    return flushed(to);
  }
  auto all = job->raw;
  all["failures"] = to_value(*failures);
  show(to, all, how);
  return flushed(to);
}

int show_node_logs(console& to, const client::endpoint& at, const logs_options& options,
                   format how) {
  client::node_client node{at};
  auto found = node.find(options.id);
  if (!found)
    return to.fail(found.trouble());
  auto job = node.get(*found);
  if (!job)
    return to.fail(job.trouble());
  return node_log_view{to, node, options, how}.run(job->info);
}

} // namespace troupe::node
