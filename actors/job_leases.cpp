#include "actors/job_leases.hpp"

#include "actors/job_ends.hpp"
#include "actors/job_starts.hpp"

#include <caf/send.hpp>

namespace troupe::actors {

using core::vertex_index;
namespace msg = messages;

namespace {

void tell_board(job_self self, auto m) {
  if (auto& board = env_of(self).work_board)
    self->send(board, std::move(m));
}

bool is_leased(const core::vertex_detail& x) { return x.current && x.lease != core::duration{}; }

std::vector<std::pair<vertex_index, core::vertex_detail>> leases_of(job_self self) {
  std::vector<std::pair<vertex_index, core::vertex_detail>> all;
  if (job_of(self).run)
    for (auto& [v, detail] : job_of(self).run->details)
      if (is_leased(detail))
        all.emplace_back(v, detail);
  return all;
}

core::worker_task task_of(job_self self, vertex_index v) {
  auto& job = job_of(self);
  return core::worker_task_of(job.plan->shape(v).config, job.spec.queue);
}

/// All that the job was told so far; durable when a lease is that is recorded now.
msg::told_messages messages_of(job_self self) {
  auto& all = job_of(self).messages;
  auto& told = self->state.told;
  if (all.empty() || (told && told->size() == all.size()))
    return told;
  return std::make_shared<const std::vector<std::string>>(all);
}

/// What a worker gets of the vertex that it has just leased.
msg::leased_work work_of(job_self self, vertex_index v, value inputs) {
  auto& job = job_of(self);
  auto detail = detail_of(self, v);
  auto task = task_of(self, v);
  auto arguments = job.plan->shape(v).config.find("arguments");
  auto& name = job.plan->names[v];
  work_item item{{},
                 job.id,
                 name,
                 task.queue,
                 task.name,
                 detail->attempts,
                 to_string(job.id) + "/" + name,
                 arguments ? *arguments : value{},
                 std::move(inputs),
                 detail->lease,
                 {}};
  return {std::move(item), *detail->current, v, messages_of(self)};
}

/// The job hears of it once the lease is durable; if it never will be, the board gets nothing.
output leased(job_self self, std::uint64_t fetch, msg::leased_work work) {
  msg::work_leased m{fetch, caf::actor{self}, job_of(self).ns, std::move(work)};
  return [board = env_of(self).work_board, m = std::move(m)](const status& outcome) mutable {
    if (!outcome)
      return caf::anon_send(board, msg::work_refused{m.fetch});
    auto to = m.job;
    caf::anon_send(to, std::move(m));
  };
}

/// The time that is left of what its vertex allows, if it allows only so much.
void limit(job_self self, vertex_index v) {
  auto& shape = job_of(self).plan->shape(v);
  auto& most = shape.timeouts.hard > core::duration{} ? shape.timeouts.hard : shape.timeouts.soft;
  if (most <= core::duration{})
    return;
  auto detail = detail_of(self, v);
  auto left = std::max(detail->started + most - self->state.book->now(), core::duration{});
  self->delayed_send(self, left, msg::lease_over{v, *detail->current, msg::lease_end::timed_out});
}

/// Whether workers are to end what they have.
bool is_ending(const core::job& x) {
  return (x.state != job_state::running && x.state != job_state::paused) || x.run->failing;
}

/// The board shall know the lease.
void adopt(job_self self, vertex_index v, const core::vertex_detail& x) {
  auto& job = job_of(self);
  tell_board(self,
             msg::adopt_lease{
                 caf::actor{self}, job.ns, {job.id, v}, *x.current, x.lease, self->state.told});
}

output refused(job_self self, std::uint64_t fetch) {
  tell_board(self, msg::work_refused{fetch});
  return {};
}

/// Ends an attempt by its token, whoever has it.
void end(job_self self, vertex_index v, const core::token& proof, core::attempt_end outcome,
         problem why) {
  end_attempt(self, proof, {v, outcome, {}, std::move(why)});
  drop_lease(self, proof);
  after_end(self, v);
}

/// The vertex is for another worker. `silent`: nothing was heard of the one that had it.
output lost(job_self self, vertex_index v, const core::token& proof, bool silent) {
  auto& st = self->state;
  auto decided = core::decide_lost(job_of(self), v, silent, st.book->now());
  if (!decided)
    return {};
  st.book->take(std::move(*decided));
  drop_lease(self, proof);
  st.holders.erase(v);
  if (!silent)
    return {};
  return [env = st.shard->env](const status& outcome) {
    if (outcome)
      env->happened(occurrence::lease_expired);
  };
}

/// Answers `x`, once all that it reflects is durable.
output answer(const msg::reply_status& done, status x) {
  return [done, x = std::move(x)](const status& outcome) { done(outcome ? x : outcome); };
}

} // namespace

void offer(job_self self, vertex_index v) {
  self->state.offered.emplace(v, self->state.book->now());
  auto& job = job_of(self);
  tell_board(self,
             msg::offer_work{caf::actor{self}, {job.id, v}, {job.ns, task_of(self, v).queue}});
}

void withdraw_offers(job_self self) {
  auto& st = self->state;
  if (st.offered.empty() || may_start(self))
    return;
  tell_board(self, msg::withdraw_work{job_of(self).id});
  for (auto& [v, since] : std::exchange(st.offered, {})) {
    st.book->waited(wait_reason::worker, st.book->now() - since);
    st.holders.erase(v);
    st.ready.push_back(v);
  }
}

void adopt_leases(job_self self) {
  auto& job = job_of(self);
  for (auto v : core::resume(job).leased) {
    auto detail = detail_of(self, v);
    self->state.holders.insert(v);
    adopt(self, v, *detail);
    limit(self, v);
  }
}

void end_leases(job_self self, core::duration grace) {
  for (auto& [v, detail] : leases_of(self)) {
    if (grace == core::duration{})
      continue; // Ended at once, as all that no runner has.
    tell_board(self, msg::cancel_lease{*detail.current});
    self->delayed_send(self, grace, msg::lease_over{v, *detail.current, msg::lease_end::asked});
  }
}

void tell_workers(job_self self, const msg::message_durable& m) {
  auto& all = job_of(self).messages;
  auto end = all.begin() + static_cast<std::ptrdiff_t>(m.count);
  self->state.told = std::make_shared<const std::vector<std::string>>(all.begin(), end);
  std::vector<core::token> proofs;
  for (auto& [v, detail] : leases_of(self))
    proofs.push_back(*detail.current);
  if (proofs.empty())
    return m.done({});
  tell_board(self, msg::tell_leases{std::move(proofs), self->state.told, m.done});
}

void drop_lease(job_self self, const core::token& proof) {
  tell_board(self, msg::drop_lease{proof});
}

output take_work(job_self self, const msg::take_work& m) {
  auto& st = self->state;
  auto v = m.what.vertex;
  auto offered = st.offered.extract(v);
  if (offered.empty())
    return refused(self, m.fetch);
  st.book->waited(wait_reason::worker, st.book->now() - offered.mapped());
  st.holders.erase(v);
  if (!may_start(self)) {
    st.ready.push_back(v);
    return refused(self, m.fetch);
  }
  auto all = core::gather(job_of(self), v);
  auto started = core::decide_lease(job_of(self), v, m.lease, m.worker, st.book->now(), st.random);
  if (!started)
    return refused(self, m.fetch);
  st.book->take(std::move(*started));
  st.holders.insert(v);
  if (all.wrong) {
    end(self, v, *detail_of(self, v)->current, core::attempt_end::failed, std::move(*all.wrong));
    return refused(self, m.fetch);
  }
  limit(self, v);
  return leased(self, m.fetch, work_of(self, v, std::move(all.inputs)));
}

void hand_over(job_self self, msg::work_leased& m) {
  auto proof = m.work.proof;
  if (!is_current(self, m.work.vertex, proof))
    return tell_board(self, msg::work_refused{m.fetch});
  tell_board(self, std::move(m));
  if (is_ending(job_of(self)))
    tell_board(self, msg::cancel_lease{proof});
}

output finish_work(job_self self, msg::finish_work& m) {
  auto& job = job_of(self);
  auto v = m.result.vertex;
  if (job.ns != m.ns)
    return answer(m.done, core::no_such_job(m.job));
  if (core::has_recorded(job, m.proof, m.result))
    return answer(m.done, {});
  auto detail = job.run && v < job.plan->size() ? detail_of(self, v) : nullptr;
  if (!detail || detail->current != m.proof || !is_leased(*detail)) {
    env_of(self).refused_stale();
    return answer(m.done, core::stale_attempt());
  }
  end_attempt(self, m.proof, std::move(m.result));
  drop_lease(self, m.proof);
  after_end(self, v);
  return answer(m.done, {});
}

output emit_work(job_self self, msg::emit_work& m) {
  auto& st = self->state;
  if (job_of(self).ns != m.ns)
    return answer(m.done, core::no_such_job(m.job));
  auto said = core::decide_emitted(job_of(self), m.vertex, m.proof, m.number, m.kind,
                                   std::move(m.text), st.book->now());
  if (!said)
    return answer(m.done, said.error());
  if (!said->empty())
    st.book->take(std::move(*said));
  return answer(m.done, {});
}

output lease_over(job_self self, const msg::lease_over& m) {
  using enum msg::lease_end;
  if (!is_current(self, m.vertex, m.proof))
    drop_lease(self, m.proof);
  else if (m.why == timed_out)
    end(self, m.vertex, m.proof, core::attempt_end::timed_out,
        {"timed_out", "", "the worker took longer than the vertex's time-out"});
  else if (m.why == asked)
    end(self, m.vertex, m.proof, core::attempt_end::cancelled,
        {"cancelled", "", "its job is ending"});
  else
    return lost(self, m.vertex, m.proof, m.why == silent);
  return {};
}

output find_lease(job_self self, const msg::find_lease& m) {
  auto& job = job_of(self);
  if (job.ns != m.ns)
    return answer(m.done, core::no_such_job(m.job));
  auto detail = detail_of(self, m.vertex);
  if (!detail || detail->current != m.proof || !is_leased(*detail))
    return answer(m.done, core::stale_attempt());
  adopt(self, m.vertex, *detail);
  return answer(m.done, {});
}

} // namespace troupe::actors
