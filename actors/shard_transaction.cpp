#include "actors/shard_transaction.hpp"

#include "actors/shard_admission.hpp"
#include "actors/shard_queue.hpp"

namespace troupe::actors {

namespace {

namespace msg = messages;

/// A key as a detail shows it: bytes that do not print as two hexadecimal digits.
std::string shown(const std::string& key) {
  constexpr auto digits = "0123456789abcdef";
  std::string text = "\"";
  for (unsigned char c : key)
    if (c >= ' ' && c < 0x7f)
      text += static_cast<char>(c);
    else
      text += {'\\', 'x', digits[c >> 4], digits[c & 15]};
  return text + '"';
}

/// The row as the newest transaction left it, durable or not.
result<std::optional<core::bytes>> current(shard_self self, const msg::write_rows& m,
                                           const std::string& key) {
  auto& fresh = self->state.rows.rows;
  if (auto found = fresh.find({m.ns, m.queue, key}); found != fresh.end())
    return found->second.bytes;
  return shard_of(self).view->row({{m.ns, m.queue}, key});
}

status check(shard_self self, const msg::write_rows& m) {
  for (auto& x : m.conditions) {
    auto row = current(self, m, x.key);
    if (!row)
      return row.error();
    if (*row != x.content)
      return error{ec::condition_failed, "the row " + shown(x.key)
                                             + (!*row        ? " is not there"
                                                : !x.content ? " is there"
                                                             : " has other content")
                                             + "; read it again and decide anew"};
  }
  return {};
}

/// What a transaction comes to, before anything of it is recorded.
struct plan {
  core::record_group group;
  std::vector<std::pair<const msg::submit_job*, core::job>> jobs; ///< New ones,
  std::optional<job_book> begun; ///< or the only one, that reuses results.
  std::vector<submitted> told;
};

void plan_rows(shard_self self, const msg::write_rows& m, plan& to) {
  auto now = shard_of(self).log->now();
  auto add = [&](core::record_body body) {
    to.group.push_back({m.ns, shard_of(self).id, {}, now, std::move(body)});
  };
  for (auto& x : m.rows)
    if (x.content)
      add(core::row_written{m.queue, x.key, *x.content});
    else
      add(core::row_erased{m.queue, x.key});
}

/// The job of this transaction that has the request's key, if there is one.
const submitted* same_key(const msg::write_rows& m, const plan& so_far, const std::string& key) {
  for (std::size_t i = 0; i < so_far.told.size() && !key.empty(); ++i)
    if (m.jobs[i].spec.idempotency_key == key)
      return &so_far.told[i];
  return nullptr;
}

status plan_jobs(shard_self self, const msg::write_rows& m, plan& to) {
  for (auto& x : m.jobs) {
    if (same_key(m, to, x.spec.idempotency_key))
      return error{ec::invalid_spec, "two jobs of a transaction have the idempotency key \""
                                         + x.spec.idempotency_key + "\"; give each its own"};
    auto known = find_request(self, x);
    if (!known)
      return known.error();
    if (*known) {
      to.told.push_back((*known)->job);
      continue;
    }
    if (x.earlier) {
      auto book = make_begun(self, x, to.group);
      if (!book)
        return book.error();
      to.told.push_back({book->job().id, false});
      to.begun = std::move(*book);
      continue;
    }
    auto made = make_job(self, x);
    to.told.push_back({made.job.id, false});
    to.group.push_back(std::move(made.added));
    to.jobs.emplace_back(&x, std::move(made.job));
  }
  return {};
}

core::bytes encoded(const core::record_group& group) {
  core::bytes all;
  for (auto& r : group)
    core::encode(r, all);
  return all;
}

status check_size(core::byte_view group) {
  if (group.size() <= limits::record_group_bytes_max)
    return {};
  return error{ec::too_large, "the transaction has " + std::to_string(group.size())
                                  + " bytes, allowed are "
                                  + std::to_string(limits::record_group_bytes_max)};
}

void remember_rows(shard_self self, const msg::write_rows& m, core::position at) {
  auto& rows = self->state.rows.rows;
  for (auto& x : m.rows) {
    queue_key key{m.ns, m.queue, x.key};
    rows.insert_or_assign(key, fresh_rows::content{x.content, at});
    when_durable(self, at, [&rows, key, at] {
      if (auto found = rows.find(key); found != rows.end() && found->second.at <= at)
        rows.erase(found);
    });
  }
}

/// Answered without a change, once what it reflects is durable.
void answer(shard_self self, const msg::write_rows& m, result<std::vector<submitted>> what) {
  shard_of(self).log->hold(shard_of(self).log->head(),
                           [done = m.done, what = std::move(what)](const status& outcome) {
                             done(outcome ? what : outcome.error());
                           });
}

/// What a transaction comes to that is not done. If it writes no rows, and all its jobs were made
/// before, there is nothing that could be kept from happening. Else `why`.
result<std::vector<submitted>> made_before(shard_self self, const msg::write_rows& m,
                                           const error& why) {
  std::vector<submitted> made;
  for (auto& x : m.jobs) {
    auto known = find_request(self, x);
    if (!known)
      return known.error();
    if (!*known)
      return why;
    made.push_back((*known)->job);
  }
  if (made.empty() || !m.rows.empty())
    return why;
  return made;
}

/// A transaction that there is no room for now: who repeats it gets the jobs that it has made.
void refuse(shard_self self, const msg::write_rows& m, const error& why) {
  auto made = made_before(self, m, why);
  if (made || made.code() == ec::idempotency_conflict)
    return answer(self, m, std::move(made));
  m.done(shard_of(self).env->refused(m.queue, why));
}

/// What tells the observer of the jobs once they are durable.
std::function<void()> observe(shard_self self, const plan& all) {
  auto to = shard_of(self).env->observer;
  if (!to)
    return [] {};
  std::vector<observed_job> jobs;
  for (auto& [request, job] : all.jobs)
    jobs.push_back(observed(job));
  return [to, jobs = std::move(jobs)] {
    for (auto& job : jobs)
      to->job_stepped(job, {});
  };
}

/// A job that reuses results does not wait for its turn.
void commit_begun(shard_self self, const msg::write_rows& m, plan all, output tell) {
  auto& book = *all.begun;
  book.flush(std::move(tell));
  remember_rows(self, m, book.at());
  remember_request(self, m.jobs.front(), book.job().id, book.at());
  ++self->state.running;
  start_job(self, std::move(book));
}

void commit(shard_self self, const msg::write_rows& m, plan all) {
  auto& st = self->state;
  std::vector<std::shared_ptr<const void>> held; // Until what names it is durable.
  for (auto& x : m.jobs)
    held.insert(held.end(), {x.plan, x.held});
  output tell = [done = m.done, told = std::move(all.told), seen = observe(self, all),
                 held = std::move(held)](const status& outcome) {
    if (outcome)
      seen();
    done(outcome ? result<std::vector<submitted>>{told} : outcome.error());
  };
  if (all.begun)
    return commit_begun(self, m, std::move(all), std::move(tell));
  if (all.group.empty())
    return shard_of(self).log->hold(shard_of(self).log->head(), std::move(tell));
  auto at = shard_of(self).log->append(all.group, std::move(tell));
  remember_rows(self, m, at);
  for (auto& [request, job] : all.jobs) {
    remember_request(self, *request, job.id, at);
    enqueue(self, job.id, job.spec.expires_at);
    keep(self, job_book{st.shard, std::move(job), at});
  }
  admit(self);
}

void write_now(shard_self self, const msg::write_rows& m) {
  auto& env = *shard_of(self).env;
  auto checked = check(self, m);
  if (checked.code() == ec::condition_failed)
    return answer(self, m, made_before(self, m, checked.error()));
  if (auto why = refusal(self, !m.jobs.empty()))
    return refuse(self, m, *why);
  plan all;
  plan_rows(self, m, all);
  if (checked)
    checked = plan_jobs(self, m, all);
  if (checked)
    checked = check_size(all.begun ? all.begun->group() : encoded(all.group));
  if (checked)
    commit(self, m, std::move(all));
  else
    answer(self, m, env.refused(m.queue, checked.error()));
}

} // namespace

void write_rows(shard_self self, const msg::write_rows& m) {
  if (auto delay = delay_now(self))
    return slow(
        self, *delay, [self, m] { write_now(self, m); },
        [&](const error& why) { refuse(self, m, why); });
  write_now(self, m);
}

result<std::optional<keyed_request>> recorded_request(shard_self self, const msg::submit_job& m) {
  auto found = shard_of(self).view->find_request({{m.ns, m.spec.queue}, m.spec.idempotency_key},
                                                 shard_of(self).log->now());
  if (!found)
    return found.error();
  if (!*found)
    return std::optional<keyed_request>{};
  return std::optional{keyed_request{(*found)->id, (*found)->digest, 0}};
}

} // namespace troupe::actors
