#include "actors/shard_admission.hpp"

#include "actors/shard_queue.hpp"
#include "actors/shard_requests.hpp"
#include "actors/shard_rest.hpp"
#include "actors/shard_transaction.hpp"
#include "core/decide_reuse.hpp"

#include <caf/event_based_actor.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;

/// Applies what is reused, which needs a job that has begun.
status reuse(job_book& book, const msg::submit_job& m) {
  if (!m.earlier)
    return {};
  auto reused = core::decide_reuse(book.job(), *m.earlier, m.from, book.now());
  if (!reused)
    return reused.error();
  book.take(std::move(*reused));
  return {};
}

/// The book of a new job: what comes `before` it in its group, that it is there, and if it
/// `begins`, that and what it reuses. Nothing is appended yet.
result<job_book> open_book(shard_self self, const msg::submit_job& m, new_job made, bool begins,
                           const core::record_group& before = {}) {
  if (m.earlier && !has_room(self))
    return error{ec::overloaded, "a job that reuses results begins at once, and "
                                     + std::to_string(self->state.running)
                                     + " jobs of its shard run; repeat when some have ended"};
  job_book book{self->state.shard, std::move(made.job)};
  for (auto& r : before)
    book.add(r);
  book.add(made.added);
  if (!begins)
    return book;
  book.take(*core::decide_move(book.job(), core::job_request::start, "", made.added.at));
  if (auto reused = reuse(book, m); !reused)
    return reused.error();
  return book;
}

/// What the record names is held until it is durable.
output tell_accepted(const msg::submit_job& m, job_id id) {
  return [done = m.accepted, id, plan = m.plan, held = m.held](const status& outcome) {
    done(outcome ? result<submitted>{submitted{id, false}} : outcome.error());
  };
}

void record_job(shard_self self, const msg::submit_job& m) {
  auto& st = self->state;
  auto made = make_job(self, m);
  auto id = made.job.id;
  auto expires_at = made.job.spec.expires_at;
  auto begins = m.earlier
                || (has_room(self) && st.queue.empty() && st.recovery.done
                    && !core::has_expired(expires_at, made.added.at));
  auto book = open_book(self, m, std::move(made), begins);
  if (!book)
    return m.accepted(shard_of(self).env->refused(m.spec.queue, book.error()));
  if (m.ended)
    shard_of(self).waiting.emplace(id, m.ended);
  book->flush(tell_accepted(m, id));
  remember_request(self, m, id, book->at());
  if (begins) {
    ++st.running;
    return start_job(self, std::move(*book));
  }
  keep(self, std::move(*book));
  enqueue(self, id, expires_at);
}

/// The same request once more: the same answer, and not before the first one's.
void repeat(shard_self self, const msg::submit_job& m, const known_request& known) {
  if (m.ended)
    await_end(self, {known.job.id, msg::end_waiter{m.ended}});
  shard_of(self).log->hold(known.at, [done = m.accepted, job = known.job](const status& outcome) {
    done(outcome ? result<submitted>{job} : outcome.error());
  });
}

void submit_now(shard_self self, const msg::submit_job& m) {
  auto known = find_request(self, m);
  if (!known) // What it conflicts with may not be durable yet.
    return shard_of(self).log->hold(
        shard_of(self).log->head(),
        [done = m.accepted, why = known.error()](const status& outcome) {
          done(outcome ? why : outcome.error());
        });
  if (*known)
    return repeat(self, m, **known);
  if (auto why = refusal(self, true))
    return m.accepted(shard_of(self).env->refused(m.spec.queue, *why));
  record_job(self, m);
}

core::pressure pressure_of(shard_self self) {
  auto& env = *shard_of(self).env;
  return env.pressure ? env.pressure() : core::pressure{};
}

/// One job that has its turn. False if none has.
bool admit_one(shard_self self) {
  auto& st = self->state;
  if (auto due = st.resting.pop(shard_of(self).log->now())) {
    wake_due(self, *due);
    return true;
  }
  return begin_next(self);
}

} // namespace

void admit(shard_self self) {
  auto& st = self->state;
  std::size_t steps = 0;
  while (steps < limits::admissions_per_turn
         && (expire_one(self) || (has_room(self) && admit_one(self))))
    ++steps;
  if (steps == limits::admissions_per_turn && !std::exchange(st.admits_more, true))
    self->send(self, msg::admit_jobs{});
  else
    arm_wake(self);
}

bool has_room(shard_self self) {
  auto& st = self->state;
  return st.running < settings_of(self).running_jobs_max && !st.closing;
}

std::optional<error> refusal(shard_self self, bool new_jobs) {
  auto& st = self->state;
  if (st.closing)
    return error{ec::not_ready, "the runtime is closing"};
  if (auto state = shard_of(self).log->state(); !state)
    return state.error();
  auto pending = st.queue.size() + st.recovery.late.size();
  if (pending >= limits::pending_jobs_max)
    return error{ec::overloaded, "the shard has " + std::to_string(pending)
                                     + " pending jobs; repeat when some have ended"};
  if (shard_of(self).log->gathered_bytes() >= limits::gathered_bytes_max)
    return error{ec::overloaded, "the journal lags behind; repeat after a while"};
  auto pressure = pressure_of(self);
  pressure.space |= !new_jobs;
  if (auto delay = core::admission_delay(pressure); !delay)
    return delay.error();
  return {};
}

std::optional<core::duration> delay_now(shard_self self) {
  auto delay = core::admission_delay(pressure_of(self));
  if (delay && (*delay > core::duration{} || !self->state.slowed.empty()))
    return *delay;
  return {};
}

void slow(shard_self self, core::duration delay, std::function<void()> go,
          const std::function<void(const error&)>& refuse) {
  auto& waiting = self->state.slowed;
  if (waiting.size() >= limits::slowed_submits_max)
    return refuse({ec::overloaded, "the store lags and " + std::to_string(waiting.size())
                                       + " requests wait already; repeat after a while"});
  auto due = self->clock().now() + delay;
  if (!waiting.empty())
    due = std::max(due, waiting.back().due);
  waiting.push_back({due, std::move(go)});
  self->delayed_send(self, delay, msg::admit_jobs{});
}

void submit(shard_self self, const msg::submit_job& m) {
  if (auto delay = delay_now(self))
    return slow(
        self, *delay, [self, m] { submit_now(self, m); },
        [&](const error& why) { m.accepted(shard_of(self).env->refused(m.spec.queue, why)); });
  submit_now(self, m);
}

void go_on_slowed(shard_self self) {
  auto& waiting = self->state.slowed;
  auto now = self->clock().now();
  while (!waiting.empty() && (waiting.front().due <= now || self->state.closing)) {
    auto go = std::move(waiting.front().go);
    waiting.pop_front();
    go();
  }
}

new_job make_job(shard_self self, const msg::submit_job& m) {
  auto& st = self->state;
  auto now = shard_of(self).log->now();
  auto id = st.ids.next(core::place(m.ns, m.spec.queue), now, st.random);
  auto spec = m.spec;
  spec.expires_at = core::expiry_of(spec.expires_at, m.expires_after, now);
  core::record added{m.ns, shard_of(self).id, id, now, std::move(spec)};
  auto job = core::job_of(added);
  job.plan = m.plan;
  return {std::move(added), std::move(job)};
}

result<job_book> make_begun(shard_self self, const msg::submit_job& m,
                            const core::record_group& before) {
  return open_book(self, m, make_job(self, m), true, before);
}

result<std::optional<known_request>> find_request(shard_self self, const msg::submit_job& m) {
  auto& spec = m.spec;
  if (spec.idempotency_key.empty())
    return std::optional<known_request>{};
  auto& fresh = self->state.rows.requests;
  keyed_request known;
  if (auto found = fresh.find({m.ns, spec.queue, spec.idempotency_key}); found != fresh.end()) {
    known = found->second;
  } else {
    auto recorded = recorded_request(self, m);
    if (!recorded)
      return recorded.error();
    if (!*recorded)
      return std::optional<known_request>{};
    known = **recorded;
  }
  if (known.digest != spec.request_digest)
    return error{ec::idempotency_conflict, "the key \"" + spec.idempotency_key
                                               + "\" belongs to another request, which made job "
                                               + to_string(known.job) + "; choose another key"};
  return std::optional{known_request{{known.job, true}, known.at}};
}

void remember_request(shard_self self, const msg::submit_job& m, job_id id, core::position at) {
  if (m.spec.idempotency_key.empty())
    return;
  auto& requests = self->state.rows.requests;
  queue_key key{m.ns, m.spec.queue, m.spec.idempotency_key};
  requests.insert_or_assign(key, keyed_request{id, m.spec.request_digest, at});
  when_durable(self, at, [&requests, key] { requests.erase(key); });
}

} // namespace troupe::actors
