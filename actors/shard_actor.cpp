#include "actors/shard_actor.hpp"

#include "actors/faults.hpp"
#include "actors/job_actor.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace troupe::actors {

namespace {

using self_ptr = caf::stateful_actor<shard_actor_state>*;
namespace msg = messages;

constexpr auto clean_up_interval = std::chrono::seconds{10};

shard_context& shard_of(self_ptr self) { return *self->state.shard; }
const actor_settings& settings_of(self_ptr self) { return shard_of(self).env->settings; }

void start_actor(self_ptr self, job_id id, job_book book) {
  auto& st = self->state;
  auto actor = self->spawn<caf::monitored>(job_actor, st.shard, std::move(book));
  st.by_address.emplace(actor.address(), id);
  st.live[id].actor = std::move(actor);
}

/// Hands jobs over to actors of their own, in order, as long as there is room. The hand-over is
/// a record.
void admit(self_ptr self) {
  auto& st = self->state;
  while (st.running < settings_of(self).running_jobs_max && !st.queue.empty() && !st.closing) {
    auto id = st.queue.front();
    st.queue.pop_front();
    auto found = st.waiting.find(id);
    if (found == st.waiting.end() || found->second.job().state != core::job_state::pending)
      continue;
    auto book = std::move(found->second);
    st.waiting.erase(found);
    book.take(*core::decide_move(book.job(), core::job_request::start, "", book.now()));
    book.flush();
    ++st.running;
    start_actor(self, id, std::move(book));
  }
}

std::optional<error> refusal(self_ptr self) {
  auto& st = self->state;
  if (st.closing)
    return error{ec::not_ready, "the runtime is closing"};
  if (auto state = shard_of(self).log->state(); !state)
    return state.error();
  if (st.waiting.size() >= limits::pending_jobs_max)
    return error{ec::overloaded, "the shard has " + std::to_string(st.waiting.size())
                                     + " pending jobs; repeat when some have ended"};
  if (shard_of(self).log->gathered_bytes() >= limits::gathered_bytes_max)
    return error{ec::overloaded, "the journal lags behind; repeat after a while"};
  return {};
}

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

void submit(self_ptr self, const msg::submit_job& m) {
  auto& st = self->state;
  if (auto why = refusal(self))
    return m.accepted(*why);
  auto now = shard_of(self).log->now();
  auto id = st.ids.next(core::place(m.ns, m.spec.queue), now, st.random);
  core::record added{m.ns, shard_of(self).id, id, now, m.spec};
  auto job = core::job_of(added);
  job.plan = m.plan;
  job_book book{st.shard, std::move(job)};
  book.add(added);
  auto accepted = [done = m.accepted, id](const status& outcome) {
    done(outcome ? result<job_id>{id} : outcome.error());
  };
  if (m.ended)
    shard_of(self).waiting.emplace(id, m.ended);
  auto at_once = st.running < settings_of(self).running_jobs_max && st.queue.empty();
  if (!at_once && !m.earlier) {
    book.flush(accepted);
    st.waiting.emplace(id, std::move(book));
    st.queue.push_back(id);
    return;
  }
  book.take(*core::decide_move(book.job(), core::job_request::start, "", now));
  if (auto reused = reuse(book, m); !reused) {
    shard_of(self).waiting.erase(id);
    return m.accepted(reused.error()); // Nothing was appended.
  }
  book.flush(accepted);
  ++st.running;
  start_actor(self, id, std::move(book));
}

template <class Message>
void unknown(self_ptr self, const Message& m) {
  shard_of(self).log->hold(shard_of(self).log->head(), [id = m.job, done = m.done](auto&) {
    done(error{ec::no_such_job, "no job " + to_string(id) + " is recorded here"});
  });
}

/// A step of a job that no actor has.
void move_waiting(self_ptr self, job_book& book, const msg::move_job& m) {
  auto& st = self->state;
  auto moved = core::decide_move(book.job(), m.on, m.reason, book.now());
  if (!moved)
    return book.flush([done = m.done, why = status{moved.error()}](const status& outcome) {
      done(outcome ? why : outcome);
    });
  book.take(std::move(*moved));
  book.flush(m.done);
  if (book.job().state == core::job_state::pending)
    st.queue.push_back(m.job);
  if (terminal(book.job().state))
    st.waiting.erase(m.job);
  admit(self);
}

result<core::job> load_whole(self_ptr self, job_id id) {
  auto loaded = shard_of(self).view->load(id, shard_of(self).graph_source());
  if (loaded)
    if (auto blobs = load_blobs(*loaded, *shard_of(self).env); !blobs)
      return blobs.error();
  return loaded;
}

/// The job as it stood when its last actor went, or when the node was started.
template <class Message>
void from_view(self_ptr self, const Message& m, const std::function<void(core::job&)>& use) {
  if (auto loaded = load_whole(self, m.job))
    use(*loaded);
  else
    m.done(loaded.error());
}

void move_job(self_ptr self, const msg::move_job& m) {
  auto& st = self->state;
  if (auto live = st.live.find(m.job); live != st.live.end())
    return self->send(live->second.actor, m);
  if (auto waiting = st.waiting.find(m.job); waiting != st.waiting.end())
    return move_waiting(self, waiting->second, m);
  from_view(self, m, [&](core::job& x) {
    auto moved = core::decide_move(x, m.on, m.reason, shard_of(self).log->now());
    m.done(moved ? status{error{ec::illegal_request, "the job waits for its release"}}
                 : status{moved.error()});
  });
}

void get_job(self_ptr self, const msg::get_job& m) {
  auto& st = self->state;
  if (auto live = st.live.find(m.job); live != st.live.end())
    return self->send(live->second.actor, m);
  if (auto waiting = st.waiting.find(m.job); waiting != st.waiting.end())
    return waiting->second.flush(
        [done = m.done, info = info_of(waiting->second.job())](const status& outcome) {
          done(outcome ? result<job_info>{info} : outcome.error());
        });
  if (!shard_of(self).view->find(m.job))
    return unknown(self, m);
  from_view(self, m, [&](core::job& x) { m.done(info_of(x)); });
}

/// Whoever waits is told by the output of the record that ends the job, or at once.
void await_end(self_ptr self, const msg::await_end& m) {
  auto row = shard_of(self).view->find(m.job);
  auto& st = self->state;
  if (!row && !st.live.contains(m.job) && !st.waiting.contains(m.job))
    return unknown(self, m);
  if (row && terminal(row->state))
    return from_view(self, m, [&](core::job& x) { m.done(info_of(x)); });
  shard_of(self).waiting.emplace(m.job, m.done);
}

void watch_job(self_ptr self, const msg::watch_job& m) {
  auto& st = self->state;
  if (auto live = st.live.find(m.job); live != st.live.end())
    return self->send(live->second.actor, m);
  if (auto waiting = st.waiting.find(m.job); waiting != st.waiting.end()) {
    auto first = waiting->second.watch();
    return waiting->second.flush([done = m.done, first](const status& outcome) {
      done(outcome ? result<std::uint64_t>{first} : outcome.error());
    });
  }
  if (!shard_of(self).view->find(m.job))
    return unknown(self, m);
  m.done(std::uint64_t{0});
}

void drop_actor(self_ptr self, std::map<job_id, live_job>::iterator at) {
  auto& st = self->state;
  st.by_address.erase(at->second.actor.address());
  self->send_exit(at->second.actor, caf::exit_reason::user_shutdown);
  st.live.erase(at);
}

/// Ended jobs lose their actors when their grace is over, or when there are too many of them.
void clean_up(self_ptr self) {
  auto& st = self->state;
  auto now = self->clock().now();
  while (!st.ended.empty()
         && (st.ended.front().first <= now
             || st.ended.size() > settings_of(self).ended_jobs_live_max)) {
    auto found = st.live.find(st.ended.front().second);
    st.ended.pop_front();
    if (found != st.live.end() && found->second.over)
      drop_actor(self, found);
  }
}

void job_over(self_ptr self, const msg::job_over& m) {
  auto& st = self->state;
  auto found = st.live.find(m.job);
  if (found == st.live.end() || std::exchange(found->second.over, true))
    return;
  --st.running;
  st.ended.emplace_back(self->clock().now() + settings_of(self).cleanup_grace, m.job);
  clean_up(self);
  admit(self);
}

/// The supervisor's last word on a job whose actor fails again and again: it has failed.
void escalate(self_ptr self, job_id id) {
  auto& st = self->state;
  auto loaded = shard_of(self).view->load(id, shard_of(self).graph_source());
  if (!loaded || terminal(loaded->state))
    return;
  job_book book{st.shard, std::move(*loaded)};
  for (auto v : core::resume(book.job()).lost)
    if (auto lost = core::decide_lost(book.job(), v, false, book.now()))
      book.take(std::move(*lost));
  auto on = core::next(book.job().state, core::job_request::fail) ? core::job_request::fail
                                                                  : core::job_request::stop;
  if (auto moved = core::decide_move(book.job(), on, "its actor failed too often", book.now())) {
    for (auto& r : *moved)
      if (auto x = std::get_if<core::job_moved>(&r.body); x && x->to == core::job_state::failed)
        x->error = {"supervisor_escalation", "", "the job's actor failed too often; see the log"};
    book.take(std::move(*moved));
  }
  book.flush();
}

/// A job's actor has ended. If it was not told to, it is started again after a while.
void job_down(self_ptr self, const caf::down_msg& m) {
  auto& st = self->state;
  auto address = st.by_address.find(m.source);
  if (address == st.by_address.end())
    return;
  auto id = address->second;
  st.by_address.erase(address);
  auto live = st.live.find(id);
  if (live == st.live.end())
    return;
  if (st.closing) {
    st.live.erase(live);
    return;
  }
  auto& env = *shard_of(self).env;
  auto since =
      std::chrono::duration_cast<std::chrono::milliseconds>(self->clock().now().time_since_epoch());
  auto verdict = live->second.restarts.failed(settings_of(self).job_restarts, since);
  ++(verdict.escalate ? env.counted.job_escalations : env.counted.job_restarts);
  auto then = [to = caf::actor{self}, id, verdict](const status& outcome) {
    if (outcome)
      caf::anon_send(to, msg::restart_job{id, verdict.escalate, verdict.delay});
  };
  shard_of(self).log->hold(shard_of(self).log->head(), then); // All it recorded is in the view.
}

void restart_job(self_ptr self, const msg::restart_job& m) {
  auto& st = self->state;
  auto live = st.live.find(m.job);
  if (live == st.live.end())
    return;
  if (m.delay > core::duration{}) {
    self->delayed_send(self, m.delay, msg::restart_job{m.job, m.escalate, {}});
    return;
  }
  if (m.escalate) {
    escalate(self, m.job);
    st.running -= !live->second.over;
    st.live.erase(live);
    return admit(self);
  }
  if (auto loaded = load_whole(self, m.job))
    start_actor(self, m.job, job_book{st.shard, std::move(*loaded)});
}

/// Gives a recovered job back to its place.
void place(self_ptr self, core::job x) {
  auto& st = self->state;
  auto id = x.id;
  auto pending = x.state == core::job_state::pending;
  auto begun = x.run.has_value() || x.state == core::job_state::cancelling
               || x.state == core::job_state::stopping;
  job_book book{st.shard, std::move(x)};
  if (begun) {
    ++st.running;
    return start_actor(self, id, std::move(book));
  }
  st.waiting.emplace(id, std::move(book));
  if (pending)
    st.queue.push_back(id);
}

void release_job(self_ptr self, const msg::release_job& m) {
  auto& st = self->state;
  auto found = st.held.find(m.job);
  if (found == st.held.end())
    return unknown(self, m);
  auto x = std::move(found->second);
  st.held.erase(found);
  place(self, std::move(x));
  admit(self);
  m.done({});
}

/// An unfinished job goes on, or waits for its release.
status give_back(self_ptr self, job_id id) {
  auto loaded = load_whole(self, id);
  if (!loaded)
    return loaded.error();
  if (settings_of(self).hold_recovered)
    self->state.held.emplace(id, std::move(*loaded));
  else
    place(self, std::move(*loaded));
  return {};
}

/// Starts from what is durable: unfinished jobs go on, in the order of their ids. Errors: the
/// first job that cannot be read.
status recover(self_ptr self) {
  auto& st = self->state;
  auto& view = *shard_of(self).view;
  auto newest = view.newest_id();
  if (!newest)
    return newest.error();
  st.ids.saw(*newest);
  shard_of(self).log->saw(view.time());
  for (std::optional<job_id> after;;) {
    auto rows = view.live(after, limits::rows_page_max);
    if (!rows)
      return rows.error();
    for (auto& row : *rows) {
      shard_of(self).log->saw(row.created); // Also tells that recovery goes on.
      if (auto given = give_back(self, row.id); !given)
        return given;
    }
    if (rows->size() < limits::rows_page_max)
      break;
    after = rows->back().id;
  }
  admit(self);
  return {};
}

void close_shard(self_ptr self, const msg::close_shard& m) {
  auto& st = self->state;
  st.closing = m.done;
  for (auto& [id, live] : st.live)
    self->send(live.actor, msg::end_in_order{});
}

/// Closed once no job has an actor and everything they recorded has left.
void close_if_done(self_ptr self) {
  auto& st = self->state;
  if (!st.closing || !st.live.empty())
    return;
  shard_of(self).log->hold(shard_of(self).log->head(),
                           [done = std::exchange(st.closing, [] {})](auto&) { done(); });
}

caf::behavior serving(self_ptr self) {
  return {
      [self](const msg::release_outputs&) { shard_of(self).log->release(); },
      [self](const msg::submit_job& m) { submit(self, m); },
      [self](const msg::job_over& m) { job_over(self, m); },
      [self](const msg::move_job& m) { move_job(self, m); },
      [self](const msg::get_job& m) { get_job(self, m); },
      [self](const msg::await_end& m) { await_end(self, m); },
      [self](const msg::watch_job& m) { watch_job(self, m); },
      [self](const msg::release_job& m) { release_job(self, m); },
      [self](const msg::restart_job& m) { restart_job(self, m); },
      [self](const msg::close_shard& m) {
        close_shard(self, m);
        close_if_done(self);
      },
      [self](const msg::clean_up&) {
        clean_up(self);
        self->delayed_send(self, clean_up_interval, msg::clean_up{});
      },
  };
}

/// Recovers, then serves. The view must hold all that was appended.
caf::behavior begin(self_ptr self) {
  self->set_default_handler(caf::drop);
  auto recovered = recover(self);
  if (auto told = std::exchange(shard_of(self).recovered, {}))
    told(recovered);
  if (!recovered) {
    shard_of(self).log->fail(recovered);
    shard_of(self).log->release();
  }
  self->delayed_send(self, clean_up_interval, msg::clean_up{});
  return serving(self);
}

} // namespace

shard_actor_state::~shard_actor_state() {
  for (auto& [id, job] : live)
    caf::anon_send_exit(job.actor, caf::exit_reason::kill);
}

caf::behavior shard_actor(caf::stateful_actor<shard_actor_state>* self,
                          std::shared_ptr<shard_context> shard) {
  auto& st = self->state;
  st.shard = std::move(shard);
  st.random = shard_of(self).env->make_random();
  report_faults(self, st.name, st.shard->env);
  self->set_down_handler([self](const caf::down_msg& m) {
    job_down(self, m);
    close_if_done(self);
  });
  shard_of(self).log->release();
  if (shard_of(self).log->settled())
    return begin(self);
  self->set_default_handler(caf::skip); // Everything else waits until all is durable.
  return {
      [self](const msg::release_outputs&) {
        shard_of(self).log->release();
        if (shard_of(self).log->settled())
          self->become(begin(self));
      },
  };
}

} // namespace troupe::actors
