#include "node/job_commands.hpp"

#include "node/job_reader.hpp"
#include "node/job_states.hpp"
#include "node/job_tables.hpp"
#include "node/owner.hpp"
#include "node/show.hpp"
#include "node/store_text.hpp"
#include "node/target.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

/// Whether a job waits for somebody to go on with it.
bool is_orphan(const job_info& x, const std::filesystem::path& data) {
  return !terminal(x.state) && !has_owner(data);
}

value value_of(const whole_job& x, bool orphan) {
  auto all = to_value(x.info);
  all["failures"] = to_value(x.failures);
  all["result"] = x.info.result;
  all["orphan"] = orphan;
  return all;
}

void show_rows(console& to, const std::vector<job_info>& jobs, format how) {
  value::list all;
  for (auto& x : jobs)
    how == format::json ? all.push_back(row_value(x)) : void(to.out_line(row_value(x)));
  if (how == format::json)
    to.out_json(value{std::move(all)});
}

} // namespace

void tell_more(console& to, const char* what) {
  to.flush();
  to.err(std::string{"note: there are more "} + what + "; --limit N shows them\n");
}

int list_jobs(console& to, const list_options& options, format how) {
  auto filter = filter_of(options.which);
  if (!filter)
    return to.fail(filter.trouble());
  filter->limit = options.limit + 1; // Whether there are more.
  auto from = job_reader::open(options.data);
  if (!from)
    return to.fail(from.trouble());
  auto jobs = from->list(*filter);
  if (!jobs)
    return to.fail(jobs.error());
  auto is_cut = jobs->size() > options.limit;
  if (is_cut)
    jobs->pop_back();
  if (how == format::table) {
    to.out(jobs_table(*jobs));
    if (std::ranges::any_of(*jobs, [](auto& x) { return !terminal(x.state); })
        && !has_owner(options.data))
      to.err("note: no process runs the unfinished jobs now; `troupe run --resume"
             + data_option(options.data) + "` continues the newest\n");
  } else {
    show_rows(to, *jobs, how);
  }
  if (is_cut)
    tell_more(to, "jobs");
  return flushed(to);
}

int get_job(console& to, const std::filesystem::path& data, const std::string& id, format how) {
  auto from = job_reader::open(data);
  if (!from)
    return to.fail(from.trouble());
  auto found = from->find(id);
  if (!found)
    return to.fail(found.trouble());
  auto job = from->get(*found);
  if (!job)
    return to.fail(job.error());
  auto orphan = is_orphan(job->info, data);
  auto note = orphan ? "no process runs it now; " + from->resuming(*found) : std::string{};
  if (how == format::table)
    to.out(job_table(job->info, job->failures, note));
  else
    show(to, value_of(*job, orphan), how);
  return flushed(to);
}

} // namespace troupe::node
