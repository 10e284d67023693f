#include "actors/kinds/actor_dispatcher.hpp"

#include "actors/host_error.hpp"
#include "actors/kinds/early_report.hpp"
#include "messages/host.hpp"

namespace troupe::actors {

namespace {

namespace msg = messages;
using self_ptr = caf::stateful_actor<dispatcher_state>*;
using call_ptr = std::shared_ptr<actor_call>;
using cause = host::end_attempt::cause;
using step = core::attempt_clock::step;

attempt_report ended_by(const actor_call& call, core::early_end why) {
  return early_report(why, call.what.timeouts, "given up");
}

cause to_cause(core::early_end x) {
  switch (x) {
  case core::early_end::soft: return cause::soft_timeout;
  case core::early_end::hard: return cause::hard_timeout;
  default: return cause::cancelled;
  }
}

attempt_report down(const std::string& name) {
  return {attempt_end::failed,
          {},
          {"actor_down", "", "the actor `" + name + "` has ended; the host has to replace it"}};
}

host::attempt_token public_token(const core::token& x) { return {x.high, x.low}; }

/// Once for each reason.
void ask_to_end(self_ptr self, actor_call& call, core::early_end why) {
  if (std::exchange(call.told, why) == why)
    return;
  self->send(call.with, host::end_attempt{public_token(call.what.proof), to_cause(why)});
}

void hand_over(self_ptr self, const call_ptr& call);

/// Hands waiting attempts to their actor as long as it takes more.
void next(self_ptr self, dispatcher_state::entry& entry) {
  while (!entry.waiting.empty() && entry.actor && entry.running < entry.parallel_max)
    hand_over(self, entry.waiting.pop());
}

/// Ends a running attempt. What comes for it later is dropped.
void finish(self_ptr self, const core::token& proof, attempt_report how) {
  auto& st = self->state;
  auto found = st.running.find(proof);
  if (found == st.running.end())
    return;
  auto call = std::move(found->second);
  st.running.erase(found);
  auto& entry = st.entries.at(call->name);
  if (entry.actor == call->with)
    --entry.running;
  call->done(std::move(how));
  next(self, entry);
}

/// An answer counts if it came in time; else the attempt ends as it was asked to.
void answered(self_ptr self, const core::token& proof, attempt_report how) {
  auto found = self->state.running.find(proof);
  if (found == self->state.running.end())
    return;
  auto& call = *found->second;
  auto why = call.time->why();
  finish(self, proof, why == core::early_end::none ? std::move(how) : ended_by(call, why));
}

void wake_at_deadline(self_ptr self, const actor_call& call) {
  if (auto at = call.time->deadline())
    self->delayed_send(self, *at - self->clock().now(), msg::recall_due{call.what.proof});
}

/// Does to a running attempt what its clock says. One that is ended may still go on in its actor:
/// what comes of that is dropped.
void obey(self_ptr self, actor_call& call, step due) {
  if (due == step::none)
    return;
  auto why = call.time->why();
  ask_to_end(self, call, why);
  if (due == step::ask)
    wake_at_deadline(self, call);
  else
    finish(self, call.what.proof, ended_by(call, why));
}

host::attempt to_host(const attempt& x) {
  host::attempt m;
  m.token = public_token(x.proof);
  m.job = x.job;
  m.vertex = x.vertex;
  m.number = x.number;
  m.idempotency_key = x.idempotency_key;
  m.inputs = x.inputs;
  if (auto arguments = x.config.find("arguments"))
    m.arguments = *arguments;
  if (x.timeouts.hard.count() > 0)
    m.deadline = std::chrono::steady_clock::now() + x.timeouts.hard;
  return m;
}

void hand_over(self_ptr self, const call_ptr& call) {
  auto& st = self->state;
  auto& entry = st.entries.at(call->name);
  auto proof = call->what.proof;
  call->with = entry.actor;
  call->time.emplace(call->what.timeouts, self->clock().now());
  ++entry.running;
  st.running[proof] = call;
  wake_at_deadline(self, *call);
  self->request(entry.actor, caf::infinite, to_host(call->what))
      .then(
          [self, proof](value& output) {
            answered(self, proof, {attempt_end::succeeded, std::move(output), {}});
          },
          [self, proof](const caf::error& why) {
            answered(self, proof, {attempt_end::failed, {}, problem_of(self->system(), why)});
          });
}

void dispatch(self_ptr self, const msg::dispatch& m) {
  auto& entry = self->state.entries.at(m.call->name);
  if (!entry.actor)
    return m.call->done(down(m.call->name));
  entry.waiting.push(m.call->what.proof, m.call);
  next(self, entry);
}

void due(self_ptr self, const msg::recall_due& m) {
  auto found = self->state.running.find(m.proof);
  if (found == self->state.running.end())
    return;
  auto call = found->second;
  obey(self, *call, call->time->advance(self->clock().now()));
}

void recall(self_ptr self, const msg::recall& m) {
  auto& st = self->state;
  for (auto& [name, entry] : st.entries)
    for (auto& call : entry.waiting.remove(m.proof))
      call->done(cancelled_report());
  auto found = st.running.find(m.proof);
  if (found == st.running.end())
    return;
  auto call = found->second;
  obey(self, *call, call->time->cancel(m.grace, self->clock().now()));
}

void say(self_ptr self, const host::attempt_log& m) {
  auto found = self->state.running.find({m.token.high, m.token.low});
  if (found != self->state.running.end())
    found->second->say(m.text);
}

/// Fails all that this actor had. What waits for it would wait for ever.
void actor_down(self_ptr self, const caf::actor_addr& who) {
  auto& st = self->state;
  for (auto& [name, entry] : st.entries) {
    if (entry.actor.address() != who)
      continue;
    entry.actor = {};
    entry.running = 0;
    for (auto& call : entry.waiting.clear())
      call->done(down(name));
  }
  std::vector<core::token> lost;
  for (auto& [proof, call] : st.running)
    if (call->with.address() == who)
      lost.push_back(proof);
  for (auto& proof : lost)
    answered(self, proof, down(st.running.at(proof)->name));
}

void replace(self_ptr self, const msg::replace_actor& m) {
  auto& entry = self->state.entries.at(m.name);
  if (entry.actor == m.actor)
    return;
  entry.actor = m.actor;
  entry.running = 0;
  self->monitor(m.actor);
  next(self, entry);
}

void end(self_ptr self, const caf::error& reason) {
  auto& st = self->state;
  for (auto& [name, entry] : st.entries)
    for (auto& call : entry.waiting.clear())
      call->done(cancelled_report());
  for (auto& [proof, call] : std::exchange(st.running, {})) {
    if (call->time->why() != core::early_end::cancelled)
      ask_to_end(self, *call, core::early_end::cancelled);
    call->done(cancelled_report());
  }
  self->quit(reason);
}

} // namespace

caf::behavior actor_dispatcher(self_ptr self, const std::vector<actor_entry>& entries) {
  self->set_default_handler(caf::drop);
  self->set_down_handler([self](const caf::down_msg& m) { actor_down(self, m.source); });
  self->set_exit_handler([self](const caf::exit_msg& m) { end(self, m.reason); });
  for (auto& x : entries) {
    auto& entry = self->state.entries[x.name];
    entry.actor = x.actor;
    entry.parallel_max = x.parallel_max;
    self->monitor(x.actor);
  }
  return {
      [self](const msg::dispatch& m) { dispatch(self, m); },
      [self](const msg::recall& m) { recall(self, m); },
      [self](const msg::recall_due& m) { due(self, m); },
      [self](const msg::replace_actor& m) { replace(self, m); },
      [self](const host::attempt_log& m) { say(self, m); },
  };
}

} // namespace troupe::actors
