#include "actors/job_actor.hpp"

#include "actors/faults.hpp"
#include "actors/job_ends.hpp"
#include "actors/job_leases.hpp"
#include "actors/job_rest.hpp"
#include "actors/job_starts.hpp"
#include "actors/job_told.hpp"
#include "core/utf8.hpp"

#include <caf/send.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;

/// Ends one message: starts what it made ready, appends what it decided, tells the shard.
void finish(job_self self, output out = {}) {
  auto& st = self->state;
  auto& job = job_of(self);
  start_all(self);
  if (job.run && job.run->failing && !terminal(job.state) && !std::exchange(st.ending, true))
    end_running(self, env_of(self).settings.cancel_grace);
  withdraw_offers(self);
  out = rest_if_idle(self, std::move(out));
  flush(self, std::move(out));
  if (terminal(job.state) && !std::exchange(st.over, true))
    self->send(st.shard->shard.get(), msg::job_over{job.id});
}

void start_ready(job_self self) {
  self->state.held_back = false;
  finish(self);
}

void vertices_done(job_self self, msg::vertices_done& m) {
  record(self, std::move(m.results), m.took);
  finish(self);
}

void attempt_begins(job_self self, const msg::attempt_begins& m) {
  if (begin_attempt(self, m))
    finish(self);
}

void attempt_done(job_self self, msg::attempt_done& m) {
  auto& st = self->state;
  auto v = m.result.vertex;
  st.begun.erase(m.proof);
  st.saying.erase(m.proof);
  if (!end_pooled(self, m.proof, std::move(m.result))) {
    auto current = is_current(self, v, m.proof);
    end_attempt(self, m.proof, std::move(m.result));
    if (current)
      after_end(self, v);
  }
  finish(self);
}

/// How many bytes of `text` become one event.
std::size_t event_bytes(std::string_view text) {
  if (text.size() <= limits::log_piece_bytes_max)
    return text.size();
  return std::max<std::size_t>(core::whole_characters(text, limits::log_piece_bytes_max), 1);
}

/// Records a piece, in as many events as its size needs. False: its attempt is not current.
bool record_said(job_self self, const msg::attempt_said& m, const said_piece& piece) {
  auto& st = self->state;
  std::string_view rest{piece.text};
  do {
    auto text = rest.substr(0, event_bytes(rest));
    rest.remove_prefix(text.size());
    auto said =
        core::decide_said(job_of(self), m.vertex, m.proof, std::string{text}, st.book->now(),
                          core::stream_kind::log, piece.last && rest.empty());
    if (!said)
      return false;
    st.book->take(std::move(*said));
    flush_if_full(self);
  } while (!rest.empty());
  return true;
}

/// Records what an attempt has said since it was asked last.
void attempt_said(job_self self, const msg::attempt_said& m) {
  auto found = self->state.saying.find(m.proof);
  if (found == self->state.saying.end())
    return;
  for (auto& piece : found->second->take())
    if (!record_said(self, m, piece))
      found->second->give_back(piece.cost);
  finish(self);
}

void timer_due(job_self self, const msg::timer_due& m) {
  self->state.armed.erase({m.due, m.vertex});
  auto detail = detail_of(self, m.vertex);
  if (!detail || detail->due != m.due || !may_start(self))
    return; // It was moved, or stands still; then it is armed again.
  if (detail->current) {
    end_attempt(self, *detail->current, {m.vertex, core::attempt_end::succeeded, {}, {}});
    after_end(self, m.vertex);
  } else if (state_of(self, m.vertex) == core::vertex_state::backoff
             && self->state.due.insert(m.vertex).second) {
    self->state.ready.push_back(m.vertex);
  }
  finish(self);
}

/// A refusal, once all that it reflects is durable.
void refuse(job_self self, const msg::reply_status& done, const status& why) {
  self->state.book->flush([done, why](const status& outcome) { done(outcome ? why : outcome); });
}

/// The answer goes by way of this actor, which tells workers of messages in their order.
void add_message(job_self self, const msg::add_message& m) {
  auto& st = self->state;
  auto told = core::decide_message(job_of(self), m.text, st.book->now());
  if (!told)
    return refuse(self, m.done, told.error());
  st.book->take(std::move(*told));
  finish(self, [to = caf::actor{self}, count = job_of(self).messages.size(),
                done = m.done](const status& outcome) {
    if (outcome)
      caf::anon_send(to, msg::message_durable{count, done});
    else
      done(outcome);
  });
}

void move_job(job_self self, const msg::move_job& m) {
  auto& st = self->state;
  auto moved = core::decide_move(job_of(self), m.on, m.reason, st.book->now());
  if (!moved)
    return refuse(self, m.done, moved.error());
  st.book->take(std::move(*moved));
  if (m.on == core::job_request::cancel || m.on == core::job_request::stop) {
    st.ending = true;
    end_running(self, m.on == core::job_request::stop ? core::duration{}
                                                      : env_of(self).settings.cancel_grace);
  }
  if (m.on == core::job_request::resume)
    for (auto v : core::resume(job_of(self)).timers)
      if (!st.due.contains(v)) // It is ready, or runs without a record.
        arm(self, v);
  finish(self, m.done);
}

void get_job(job_self self, const msg::get_job& m) {
  auto& job = job_of(self);
  if (m.result && !has_result(job))
    return self->state.book->flush(
        [env = self->state.shard->env, x = job, m](const status& outcome) mutable {
          if (outcome)
            tell_job(env, std::move(x), m);
          else
            m.done(outcome.error());
        });
  self->state.book->flush([done = m.done, info = info_of(job, m.result)](const status& outcome) {
    done(outcome ? result<job_info>{info} : outcome.error());
  });
}

void watch_job(job_self self, const msg::watch_job& m) {
  auto& book = *self->state.book;
  auto first = terminal(book.job().state) ? 0 : book.watch();
  book.flush([done = m.done, first](const status& outcome) {
    done(outcome ? result<std::uint64_t>{first} : outcome.error());
  });
}

void end_in_order(job_self self) {
  drop_pooled(self);
  if (!terminal(job_of(self).state))
    lose_running(self, false);
  self->state.book->flush();
  self->quit();
}

/// What attempts may still say. What workers emit is counted by the records alone.
std::size_t bytes_to_say(const core::job& x) {
  auto said = x.stream_cut ? limits::stream_bytes_max : x.streamed;
  return limits::stream_bytes_max - std::min<std::size_t>(said, limits::stream_bytes_max);
}

/// Goes on where the records end, be it at the beginning.
void begin(job_self self) {
  auto& st = self->state;
  auto& job = job_of(self);
  st.said_left = std::make_shared<said_budget>(bytes_to_say(job));
  for (auto& shape : job.plan->shapes)
    st.traits.push_back(make_traits(env_of(self), shape));
  if (!job.messages.empty())
    st.told = std::make_shared<const std::vector<std::string>>(job.messages);
  if (terminal(job.state)) // All was reused, or its actor failed when it had recorded the end.
    return finish(self);
  lose_running(self, true);
  st.book->take({}); // An end that nothing but the crash kept from being recorded.
  st.book->take_ready();
  auto left = core::resume(job);
  st.ready.assign(left.ready.begin(), left.ready.end());
  for (auto v : left.timers) {
    if (traits_of(self, v).holds_slot && detail_of(self, v)->current)
      st.holders.insert(v);
    arm(self, v);
  }
  adopt_leases(self);
  finish(self);
}

} // namespace

caf::behavior job_actor(caf::stateful_actor<job_actor_state>* self,
                        std::shared_ptr<shard_context> shard, job_book book, bool woken) {
  auto& st = self->state;
  self->set_default_handler(caf::drop);
  st.random = shard->env->make_random();
  st.shard = std::move(shard);
  report_faults(self, st.name, st.shard->env);
  st.book.emplace(std::move(book));
  st.woken = woken;
  begin(self);
  return {
      [self](const msg::start_ready&) { start_ready(self); },
      [self](msg::vertices_done& m) { vertices_done(self, m); },
      [self](const msg::attempt_begins& m) { attempt_begins(self, m); },
      [self](msg::attempt_done& m) { attempt_done(self, m); },
      [self](const msg::attempt_said& m) { attempt_said(self, m); },
      [self](const msg::timer_due& m) { timer_due(self, m); },
      [self](const msg::move_job& m) { move_job(self, m); },
      [self](const msg::add_message& m) { add_message(self, m); },
      [self](const msg::message_durable& m) { tell_workers(self, m); },
      [self](const msg::get_job& m) { get_job(self, m); },
      [self](const msg::watch_job& m) { watch_job(self, m); },
      [self](const msg::take_work& m) { finish(self, take_work(self, m)); },
      [self](msg::work_leased& m) { hand_over(self, m); },
      [self](msg::finish_work& m) { finish(self, finish_work(self, m)); },
      [self](msg::emit_work& m) { finish(self, emit_work(self, m)); },
      [self](const msg::find_lease& m) { finish(self, find_lease(self, m)); },
      [self](const msg::lease_over& m) { finish(self, lease_over(self, m)); },
      [self](const msg::rest_durable& m) { leave_if_at_rest(self, m); },
      [self](const msg::end_in_order&) { end_in_order(self); },
  };
}

} // namespace troupe::actors
