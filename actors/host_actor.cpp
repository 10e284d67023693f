#include "actors/host_actor.hpp"

#include "actors/answer_once.hpp"
#include "actors/faults.hpp"
#include "actors/host_error.hpp"
#include "actors/spec_check.hpp"
#include "core/graph.hpp"
#include "core/place.hpp"
#include "messages/host.hpp"
#include "messages/job.hpp"

namespace troupe::actors {

namespace {

namespace msg = messages;
using self_ptr = caf::stateful_actor<host_state>*;
using subscriber = host_state::subscriber;

constexpr auto look_interval = std::chrono::seconds{1}; ///< A failed journal pushes no events.

error closed() { return {ec::not_ready, "the runtime is closed"}; }

error too_much() { return {ec::overloaded, "the disk lags behind; repeat after a while"}; }

caf::message message_of(const status& x) {
  return x ? caf::make_message(caf::unit) : caf::make_message(to_caf(x.error()));
}

template <class T>
caf::message message_of(const result<T>& x) {
  return x ? caf::make_message(*x) : caf::make_message(to_caf(x.error()));
}

void deliver(caf::response_promise& to, const caf::message& reply) {
  if (reply.match_elements<caf::error>())
    to.deliver(reply.get_as<caf::error>(0));
  else if (reply.match_elements<caf::unit_t>())
    to.deliver(caf::unit);
  else
    to.deliver(reply);
}

/// Keeps the promise of the current request. Returns a callback that has it answered, from any
/// thread, if this actor still lives; with `not_ready` if the callback is dropped.
template <class Answer>
std::function<void(const Answer&)> answer_later(self_ptr self) {
  auto number = self->state.next++;
  self->state.asked.emplace(number, self->make_response_promise());
  return answered<Answer>([to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl()),
                           number](const Answer& x) {
    if (auto alive = to.lock())
      caf::anon_send(caf::actor_cast<caf::actor>(alive), msg::host_answer{number, message_of(x)});
  });
}

void take_answer(self_ptr self, const msg::host_answer& m) {
  auto found = self->state.asked.find(m.number);
  if (found == self->state.asked.end())
    return;
  auto promise = std::move(found->second);
  self->state.asked.erase(found);
  deliver(promise, m.reply);
}

/// Answers at once.
template <class T>
void answer(self_ptr self, const T& x) {
  auto promise = self->make_response_promise();
  deliver(promise, message_of(x));
}

result<graph_id> add(engine& runtime, const host::add_graph& m) {
  auto& env = runtime.env();
  auto wrong = core::check(m.graph, env.kinds);
  if (!wrong.empty())
    return error{ec::invalid_spec, wrong.front().pointer + ": " + wrong.front().detail};
  return runtime.while_open([&] { return env.graphs->add(m.ns, m.graph); });
}

void add_graph(self_ptr self, const host::add_graph& m) {
  auto done = answer_later<result<graph_id>>(self);
  if (!self->state.tasks->post(
          [runtime = self->state.runtime, m, done] { done(add(*runtime, m)); }))
    done(too_much());
}

void submit_checked(engine& runtime, const host::submit& m,
                    const std::function<void(const result<job_id>&)>& done) {
  auto request = runtime.while_open([&] { return checked(m.spec, runtime); });
  if (!request)
    return done(runtime.env().refused(m.spec.queue, request.error()));
  request->accepted = [done](const result<submitted>& x) {
    done(x ? result<job_id>{x->id} : result<job_id>{x.error()});
  };
  auto to = core::shard_of(core::place(m.spec.ns, m.spec.queue), runtime.shards());
  if (!runtime.send(to, std::move(*request)))
    done(closed());
}

void submit(self_ptr self, const host::submit& m) {
  auto& st = self->state;
  auto done = answer_later<result<job_id>>(self);
  if (st.runtime->env().blobs_lag()
      || !st.tasks->post([runtime = st.runtime, m, done] { submit_checked(*runtime, m, done); }))
    done(st.runtime->env().refused(m.spec.queue, too_much()));
}

/// Sends a request to the shard of its job; `Message` takes the callback last.
template <class Message, class Answer, class... Parts>
void ask_shard(self_ptr self, job_id job, Parts... parts) {
  auto done = answer_later<Answer>(self);
  if (!self->state.runtime->send(job, Message{job, std::move(parts)..., done}))
    done(closed());
}

core::job_request request_of(host::change::step x) {
  switch (x) {
  case host::change::step::stop: return core::job_request::stop;
  case host::change::step::pause: return core::job_request::pause;
  case host::change::step::resume: return core::job_request::resume;
  default: return core::job_request::cancel;
  }
}

/// The subscriber of this number; null if it has gone.
subscriber* find(self_ptr self, const host::subscription& x) {
  auto job = self->state.subscribers.find(x.job);
  if (job == self->state.subscribers.end())
    return nullptr;
  auto found = job->second.find(x.number);
  return found == job->second.end() ? nullptr : &found->second;
}

void watch(self_ptr self, const caf::actor& who) {
  if (self->state.watched[who.address()]++ == 0)
    self->monitor(who);
}

void unwatch(self_ptr self, const caf::actor_addr& who) {
  auto& watched = self->state.watched;
  auto found = watched.find(who);
  if (found == watched.end() || --found->second > 0)
    return;
  watched.erase(found);
  self->demonitor(who);
}

void drop(self_ptr self, host::subscription x) {
  auto job = self->state.subscribers.find(x.job);
  if (job == self->state.subscribers.end())
    return;
  auto found = job->second.find(x.number);
  if (found == job->second.end())
    return;
  auto who = found->second.to.address();
  job->second.erase(found);
  unwatch(self, who);
  --self->state.subscriptions;
  if (job->second.empty())
    self->state.subscribers.erase(job);
}

void end(self_ptr self, const host::subscription& x, const status& why) {
  if (auto to = find(self, x))
    self->send(to->to, host::events_end{x, why.code(), why.error().detail});
  drop(self, x);
}

/// Sends what has come as far as there is credit.
void pump(self_ptr self, const host::subscription& x) {
  auto to = find(self, x);
  while (to && to->feed && to->credit > 0) {
    auto most = std::min<std::size_t>(to->credit, limits::events_read_max);
    auto found = to->feed->next(std::chrono::steady_clock::now(), most);
    if (!found && found.code() == ec::timed_out)
      return;
    if (!found)
      return end(self, x, found.error());
    to->credit -= static_cast<std::uint32_t>(found->size());
    auto last = found->empty() || to->feed->ended();
    if (!found->empty())
      self->send(to->to, host::events{x, std::move(*found)});
    if (last)
      return end(self, x, {});
  }
}

void pump_job(self_ptr self, job_id job) {
  auto found = self->state.subscribers.find(job);
  if (found == self->state.subscribers.end())
    return;
  std::vector<std::uint64_t> numbers;
  for (auto& [number, ignored] : found->second)
    numbers.push_back(number);
  for (auto number : numbers)
    pump(self, {job, number});
}

void look(self_ptr self) {
  auto& st = self->state;
  std::vector<job_id> jobs;
  for (auto& [job, ignored] : st.subscribers)
    jobs.push_back(job);
  for (auto job : jobs)
    pump_job(self, job);
  st.looking = !st.subscribers.empty();
  if (st.looking)
    self->delayed_send(self, look_interval, msg::host_look{});
}

void subscribe(self_ptr self, const host::subscribe& m) {
  auto& st = self->state;
  if (st.subscriptions >= limits::subscriptions_max)
    return answer(
        self, status{error{ec::overloaded, "there are " + std::to_string(limits::subscriptions_max)
                                               + " subscriptions; end some of them"}});
  auto number = st.next;
  auto to = caf::actor_cast<caf::actor>(self->current_sender());
  if (!to)
    return; // Sent by no actor: nobody to answer, nobody to send events to.
  st.asked.emplace(st.next++, self->make_response_promise());
  watch(self, to);
  ++st.subscriptions;
  st.subscribers[m.job][number] = {to, m.from, std::min(m.credit, limits::subscription_credit_max),
                                   nullptr};
  auto watched = answered<result<std::uint64_t>>(
      [of = host::subscription{m.job, number},
       self = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())](const auto& first) {
        if (auto alive = self.lock())
          caf::anon_send(caf::actor_cast<caf::actor>(alive), msg::host_watched{of, first});
      });
  if (!st.runtime->send(m.job, msg::watch_job{m.job, watched}))
    watched(closed());
  if (!std::exchange(st.looking, true))
    self->delayed_send(self, look_interval, msg::host_look{});
}

/// The feed is made even if nobody wants it any more: it gives back its place in the ring.
void watched(self_ptr self, const msg::host_watched& m) {
  auto to = find(self, m.of);
  auto from = to ? to->from : 1;
  auto& context = self->state.runtime->context(m.of.job);
  std::unique_ptr<event_feed> feed;
  if (m.first)
    feed = std::make_unique<event_feed>(context, m.of.job, from, *m.first);
  take_answer(self, {m.of.number, m.first ? caf::make_message(m.of) : message_of(m.first)});
  if (!m.first || !to)
    return drop(self, m.of);
  to->feed = std::move(feed);
  pump(self, m.of);
}

void more(self_ptr self, const host::more& m) {
  auto to = find(self, m.of);
  if (!to)
    return;
  to->credit += std::min(m.credit, limits::subscription_credit_max - to->credit);
  pump(self, m.of);
}

void subscriber_down(self_ptr self, const caf::actor_addr& who) {
  std::vector<host::subscription> gone;
  for (auto& [job, all] : self->state.subscribers)
    for (auto& [number, x] : all)
      if (x.to.address() == who)
        gone.push_back({job, number});
  for (auto& x : gone)
    drop(self, x);
}

/// Has the engine closed, which waits for actors: `end` follows.
void close(self_ptr self, const caf::error& reason, const std::function<void()>& closed) {
  auto& st = self->state;
  if (std::exchange(st.closing, true))
    return;
  auto task = [runtime = st.runtime, closed, reason, to = caf::actor{self}] {
    runtime->close();
    closed();
    caf::anon_send(to, msg::host_closed{reason});
  };
  st.tasks->post(task, true);
}

/// Whoever still waits for an answer or an event gets none.
void end_all(self_ptr self, const caf::error& reason) {
  auto& st = self->state;
  for (auto& [number, promise] : st.asked)
    promise.deliver(to_caf(closed()));
  for (auto& [job, all] : st.subscribers)
    for (auto& [number, x] : all)
      if (x.feed)
        self->send(x.to, host::events_end{{job, number}, ec::not_ready, closed().detail});
  st.asked.clear();
  st.subscribers.clear();
  self->quit(reason);
}

caf::behavior serving(self_ptr self) {
  return {
      [self](const host::add_graph& m) { add_graph(self, m); },
      [self](const host::submit& m) { submit(self, m); },
      [self](const host::get& m) { ask_shard<msg::get_job, result<job_info>>(self, m.job); },
      [self](const host::wait& m) { ask_shard<msg::await_end, result<job_info>>(self, m.job); },
      [self](const host::change& m) {
        ask_shard<msg::move_job, status>(self, m.job, request_of(m.to), m.reason);
      },
      [self](const host::subscribe& m) { subscribe(self, m); },
      [self](const host::more& m) { more(self, m); },
      [self](const host::unsubscribe& m) { drop(self, m.of); },
      [self](const msg::host_answer& m) { take_answer(self, m); },
      [self](const msg::host_watched& m) { watched(self, m); },
      [self](msg::host_wake) {
        for (auto job : self->state.woken->take())
          pump_job(self, job);
      },
      [self](msg::host_look) { look(self); },
      [self](const msg::host_closed& m) { end_all(self, m.reason); },
  };
}

} // namespace

caf::behavior host_actor(self_ptr self, std::shared_ptr<engine> runtime,
                         std::shared_ptr<task_thread> tasks, std::function<void()> closed) {
  auto& st = self->state;
  st.runtime = std::move(runtime);
  st.tasks = std::move(tasks);
  report_faults(self, st.name, st.runtime->contexts().front()->env);
  self->set_default_handler(caf::drop);
  self->set_down_handler([self](const caf::down_msg& m) { subscriber_down(self, m.source); });
  self->set_exit_handler([self, closed = std::move(closed)](const caf::exit_msg& m) {
    close(self, m.reason, closed);
  });
  auto wake = [woken = st.woken,
               self = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())](job_id job) {
    if (auto alive = self.lock(); alive && woken->add(job))
      caf::anon_send(caf::actor_cast<caf::actor>(alive), msg::host_wake{});
  };
  for (auto& shard : st.runtime->contexts())
    shard->ring->listen(wake);
  return serving(self);
}

} // namespace troupe::actors
