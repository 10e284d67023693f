#include "actors/kinds/actor_dispatcher.hpp"

#include "actors/host_error.hpp"
#include "messages/host.hpp"
#include "troupe/limits.hpp"

namespace troupe::actors {

namespace {

namespace msg = messages;
using self_ptr = caf::stateful_actor<dispatcher_state>*;
using call_ptr = std::shared_ptr<actor_call>;
using cause = host::end_attempt::cause;

std::string ms(core::duration x) { return std::to_string(x.count()) + " ms"; }

attempt_report ended_by(const actor_call& call, cause why) {
  auto& limits = call.what.timeouts;
  switch (why) {
  case cause::soft_timeout:
    return {attempt_outcome::timed_out,
            {},
            {"timed_out", "", "asked to end at its soft limit, " + ms(limits.soft)}};
  case cause::hard_timeout:
    return {attempt_outcome::timed_out,
            {},
            {"timed_out", "", "given up at its hard limit, " + ms(limits.hard)}};
  default: return {attempt_outcome::cancelled, {}, {"cancelled", "", "cancelled before its end"}};
  }
}

attempt_report down(const std::string& name) {
  return {attempt_outcome::failed,
          {},
          {"actor_down", "", "the actor `" + name + "` has ended; the host has to replace it"}};
}

host::attempt_token public_token(const core::token& x) { return {x.high, x.low}; }

void ask_to_end(self_ptr self, const actor_call& call, cause why) {
  self->send(call.with, host::end_attempt{public_token(call.what.proof), why});
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
  finish(self, proof, call.why ? ended_by(call, *call.why) : std::move(how));
}

template <class Duration>
void due_in(self_ptr self, const core::token& proof, Duration left, cause why) {
  self->delayed_send(self, left, msg::recall_due{proof, why});
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
  auto& limits = call->what.timeouts;
  call->with = entry.actor;
  ++entry.running;
  st.running[proof] = call;
  if (limits.soft.count() > 0)
    due_in(self, proof, limits.soft, cause::soft_timeout);
  if (limits.hard.count() > 0)
    due_in(self, proof, limits.hard, cause::hard_timeout);
  self->request(entry.actor, caf::infinite, to_host(call->what))
      .then(
          [self, proof](value& output) {
            answered(self, proof, {attempt_outcome::succeeded, std::move(output), {}});
          },
          [self, proof](const caf::error& why) {
            answered(self, proof, {attempt_outcome::failed, {}, problem_of(self->system(), why)});
          });
}

void dispatch(self_ptr self, const msg::dispatch& m) {
  auto& entry = self->state.entries.at(m.call->name);
  if (!entry.actor)
    return m.call->done(down(m.call->name));
  entry.waiting.push(m.call->what.proof, m.call);
  next(self, entry);
}

/// Its soft limit: the first time it is asked to end, the second time it has had its grace. One
/// that has a hard limit has until then, one that is being cancelled the grace of that.
void soft_due(self_ptr self, const core::token& proof, actor_call& call) {
  if (call.why == cause::cancelled)
    return;
  if (call.why)
    return finish(self, proof, ended_by(call, cause::soft_timeout));
  call.why = cause::soft_timeout;
  ask_to_end(self, call, cause::soft_timeout);
  if (call.what.timeouts.hard.count() <= 0)
    due_in(self, proof, limits::cancel_grace, cause::soft_timeout);
}

void due(self_ptr self, const msg::recall_due& m) {
  auto found = self->state.running.find(m.proof);
  if (found == self->state.running.end())
    return;
  auto& call = *found->second;
  if (m.why == cause::soft_timeout)
    return soft_due(self, m.proof, call);
  if (m.why == cause::hard_timeout)
    ask_to_end(self, call, m.why);
  finish(self, m.proof, ended_by(call, call.why == cause::cancelled ? cause::cancelled : m.why));
}

void recall(self_ptr self, const msg::recall& m) {
  auto& st = self->state;
  for (auto& [name, entry] : st.entries)
    for (auto& call : entry.waiting.remove(m.proof))
      call->done(ended_by(*call, cause::cancelled));
  auto found = st.running.find(m.proof);
  if (found == st.running.end())
    return;
  auto& call = *found->second;
  call.why = cause::cancelled;
  ask_to_end(self, call, cause::cancelled);
  if (m.grace.count() > 0)
    due_in(self, m.proof, m.grace, cause::cancelled);
  else
    finish(self, m.proof, ended_by(call, cause::cancelled));
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
      call->done(ended_by(*call, cause::cancelled));
  for (auto& [proof, call] : std::exchange(st.running, {})) {
    ask_to_end(self, *call, cause::cancelled);
    call->done(ended_by(*call, cause::cancelled));
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
