#include "actors/shard_retention.hpp"

#include "actors/shard_supervision.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;

void report(shard_self self, const error& why) {
  auto& env = *shard_of(self).env;
  if (env.report)
    env.report("retention of shard " + std::to_string(core::index_of(shard_of(self).id)) + ": "
               + to_string(why.code) + ": " + why.detail);
}

using damaged_rows = std::map<job_id, error>;

/// Tells of rows that are not in `told` yet.
void report(shard_self self, const damaged_rows& damaged, const damaged_rows& told) {
  for (auto& [id, why] : damaged)
    if (!told.contains(id))
      report(self, {why.code, "job " + to_string(id) + " is left out: " + why.detail});
}

/// The rows of those jobs that have ended and are not being deleted. Any other is an error; with
/// `damaged` it is left out, and told there if its row is damaged.
result<std::vector<storage::job_row>> to_delete(shard_self self, const std::vector<job_id>& jobs,
                                                damaged_rows* damaged) {
  std::vector<storage::job_row> rows;
  for (auto id : jobs) {
    auto gone = self->state.deleting.contains(id);
    auto row = gone ? result<storage::job_row>{error{ec::no_such_job, "the job is being deleted"}}
                    : shard_of(self).view->find(id);
    if (!row && damaged && row.code() == ec::journal_corrupt)
      damaged->emplace(id, row.error());
    else if (!row && (!damaged || row.code() != ec::no_such_job))
      return row.error();
    if (row && terminal(row->state))
      rows.push_back(std::move(*row));
    else if (row && !damaged)
      return error{ec::illegal_request, std::string{"the job is "} + to_string(row->state)
                                            + "; only jobs that have ended can be removed"};
  }
  return rows;
}

/// Records the deletions. The actors that ended jobs still have go at once; the view tells of the
/// jobs until the records are durable.
void append_deletions(shard_self self, const std::vector<storage::job_row>& rows,
                      const std::string& reason, output out) {
  auto& st = self->state;
  auto now = shard_of(self).log->now();
  core::record_group group;
  for (auto& row : rows) {
    group.push_back({row.ns, shard_of(self).id, row.id, now, core::job_deleted{reason}});
    st.deleting.insert(row.id);
    drop_actor(self, row.id);
  }
  auto at = shard_of(self).log->append(group, std::move(out));
  for (auto& row : rows)
    when_durable(self, at, [&st, id = row.id] { st.deleting.erase(id); });
}

/// The next step once this one is durable, if there may be more.
output then_more(shard_self self, bool more) {
  return [to = caf::actor{self}, more](const status& outcome) {
    if (outcome)
      caf::anon_send(to, msg::retention_applied{more});
  };
}

} // namespace

void apply_retention(shard_self self) {
  auto& st = self->state;
  if (!settings_of(self).retention || st.deletes || st.closing || !shard_of(self).log->state())
    return;
  st.ended_since = 0;
  auto found = shard_of(self).view->expired(settings_of(self).retention, shard_of(self).log->now(),
                                            limits::retention_step_jobs);
  if (!found)
    return report(self, found.error());
  std::vector<job_id> jobs;
  for (auto& x : *found)
    jobs.push_back(x.id);
  damaged_rows damaged;
  auto rows = to_delete(self, jobs, &damaged);
  if (!rows)
    return report(self, rows.error());
  report(self, damaged, st.damaged); // Each once, though it is met each time.
  st.damaged = std::move(damaged);
  if (rows->empty())
    return;
  st.deletes = true;
  append_deletions(self, *rows, "retention",
                   then_more(self, found->size() == limits::retention_step_jobs));
}

void delete_jobs(shard_self self, const msg::delete_jobs& m) {
  damaged_rows damaged;
  auto rows = to_delete(self, m.jobs, m.strict ? nullptr : &damaged);
  report(self, damaged, {});
  if (!rows)
    return shard_of(self).log->hold(shard_of(self).log->head(),
                                    [done = m.done, why = rows.error()](const status& outcome) {
                                      done(outcome ? why : outcome.error());
                                    });
  output tell = [done = m.done, n = rows->size()](const status& outcome) {
    done(outcome ? result<std::size_t>{n} : outcome.error());
  };
  if (rows->empty()) // That they are gone may not be durable yet.
    return shard_of(self).log->hold(shard_of(self).log->head(), std::move(tell));
  append_deletions(self, *rows, m.reason, std::move(tell));
}

} // namespace troupe::actors
