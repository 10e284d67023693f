#include "actors/shard_requests.hpp"

#include "actors/job_blobs.hpp"
#include "actors/job_told.hpp"
#include "actors/shard_admission.hpp"
#include "actors/shard_aside.hpp"
#include "actors/shard_queue.hpp"
#include "actors/shard_recovery.hpp"
#include "actors/shard_rest.hpp"
#include "core/decide.hpp"

#include <caf/event_based_actor.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;

using core::job_state;

/// There is no such job, once all that this tells is durable.
template <class Message>
void unknown(shard_self self, const Message& m) {
  if (auto open = shard_of(self).log->state(); !open)
    return m.done(open.error()); // It may be one that was never told.
  shard_of(self).log->hold(shard_of(self).log->head(),
                           [id = m.job, done = m.done](const status& outcome) {
                             if (outcome)
                               done(core::no_such_job(id));
                             else
                               done(outcome.error());
                           });
}

/// Answers with what the view tells of a job, or why it cannot. Nothing if there is no answer.
template <class Message>
std::optional<core::job> from_view(shard_self self, const Message& m) {
  if (self->state.deleting.contains(m.job)) {
    unknown(self, m);
    return {};
  }
  auto loaded = load_job(self, m.job);
  if (loaded)
    return std::move(*loaded);
  if (loaded.code() == ec::no_such_job)
    unknown(self, m);
  else
    m.done(loaded.error());
  return {};
}

result<core::record_group> decide(const core::job& x, const msg::move_job& m,
                                  core::shard_time now) {
  return core::decide_move(x, m.on, m.reason, now);
}

result<core::record_group> decide(const core::job& x, const msg::add_message& m,
                                  core::shard_time now) {
  return core::decide_message(x, m.text, now);
}

/// Changes a job that has not begun. It stands in its queue exactly while it is pending.
template <class Message>
void change_waiting(shard_self self, job_book book, core::record_group decided, const Message& m) {
  auto before = book.job().state;
  book.take(std::move(decided));
  book.flush(m.done);
  auto after = book.job().state;
  if (before == job_state::pending && after != job_state::pending)
    dequeue(self, book.job());
  if (before != job_state::pending && after == job_state::pending)
    enqueue(self, m.job, book.job().spec.expires_at);
  keep(self, std::move(book));
  admit(self);
}

/// A refusal reflects what the view may not tell yet: the book stays where it is.
template <class Message>
void change_fresh(shard_self self, const Message& m) {
  auto& fresh = self->state.fresh;
  auto found = fresh.find(m.job);
  auto& book = found->second;
  auto decided = decide(book.job(), m, book.now());
  if (!decided)
    return book.flush([done = m.done, why = status{decided.error()}](const status& outcome) {
      done(outcome ? why : outcome);
    });
  change_waiting(self, std::move(fresh.extract(found).mapped()), std::move(*decided), m);
}

/// A job that cannot be loaded whole can still be ended.
void not_woken(shard_self self, core::job x, core::record_group moved, const msg::move_job& m,
               const error& why) {
  auto ends = m.on == core::job_request::cancel || m.on == core::job_request::stop;
  if (!ends || !is_of_one_job(why))
    return m.done(why);
  end_aside(self, std::move(x), std::move(moved), m);
}

/// Nothing is told to a job that cannot go on.
void not_woken(shard_self, const core::job&, const core::record_group&, const msg::add_message& m,
               const error& why) {
  m.done(why);
}

/// A job that rests, waits, or has ended, and nothing of it is on its way to the disk.
template <class Message>
void change_recorded(shard_self self, core::job x, const Message& m) {
  auto decided = decide(x, m, shard_of(self).log->now());
  if (!decided)
    return m.done(decided.error());
  if (self->state.held.contains(m.job))
    return m.done(error{ec::illegal_request, "the job waits for its release"});
  if (!begun(x))
    return change_waiting(self, job_book{self->state.shard, std::move(x)}, std::move(*decided), m);
  if (auto woken = wake(self, x); !woken)
    return not_woken(self, std::move(x), std::move(*decided), m, woken.error());
  self->send(self->state.live[m.job].actor, m);
}

/// Whoever owns the job decides.
template <class Message>
void change(shard_self self, const Message& m) {
  auto& st = self->state;
  if (auto live = st.live.find(m.job); live != st.live.end())
    return self->send(live->second.actor, m);
  if (st.fresh.contains(m.job))
    return change_fresh(self, m);
  if (not_reached(self, m.job))
    return wait_until_reached(self, m, change<Message>);
  if (auto x = from_view(self, m))
    change_recorded(self, std::move(*x), m);
}

} // namespace

void move_job(shard_self self, const msg::move_job& m) { change(self, m); }
void add_message(shard_self self, const msg::add_message& m) { change(self, m); }

void get_job(shard_self self, const msg::get_job& m) {
  auto& st = self->state;
  if (auto live = st.live.find(m.job); live != st.live.end())
    return self->send(live->second.actor, m);
  if (auto fresh = st.fresh.find(m.job); fresh != st.fresh.end())
    return fresh->second.flush(
        [done = m.done, info = info_of(fresh->second.job(), m.result)](const status& outcome) {
          done(outcome ? result<job_info>{info} : outcome.error());
        });
  if (auto x = from_view(self, m))
    tell_job(shard_of(self).env, std::move(*x), m);
}

/// Whoever waits is told by the output of the record that ends the job, or at once.
void await_end(shard_self self, const msg::await_end& m) {
  auto& st = self->state;
  auto changing = st.live.contains(m.job) || st.fresh.contains(m.job);
  auto row = shard_of(self).view->find(m.job);
  if (!row && row.code() != ec::no_such_job)
    return m.done(row.error());
  if ((!row && !changing) || st.deleting.contains(m.job))
    return unknown(self, m);
  if (row && terminal(row->state))
    return get_job(self, {m.job, m.done});
  if (auto open = shard_of(self).log->state(); !open)
    return m.done(open.error());
  if (auto aside = st.aside.find(m.job); aside != st.aside.end())
    return m.done(aside->second.why);
  shard_of(self).waiting.emplace(m.job, m.done);
}

/// A job without an actor makes no events: those to come follow what is durable.
void watch_job(shard_self self, const msg::watch_job& m) {
  auto& st = self->state;
  if (auto live = st.live.find(m.job); live != st.live.end())
    return self->send(live->second.actor, m);
  if (auto fresh = st.fresh.find(m.job); fresh != st.fresh.end()) {
    auto ended = terminal(fresh->second.job().state);
    auto first = ended ? 0 : fresh->second.watch();
    return fresh->second.flush([done = m.done, first](const status& outcome) {
      done(outcome ? result<std::uint64_t>{first} : outcome.error());
    });
  }
  if (auto x = from_view(self, m))
    m.done(terminal(x->state) ? 0 : shard_of(self).ring->open(m.job, x->events + 1));
}

void release_job(shard_self self, const msg::release_job& m) {
  auto& st = self->state;
  if (not_reached(self, m.job))
    return wait_until_reached(self, m, release_job);
  if (st.held.erase(m.job) == 0)
    return unknown(self, m);
  auto placed = place_again(self, m.job);
  admit(self);
  m.done(placed);
}

} // namespace troupe::actors
