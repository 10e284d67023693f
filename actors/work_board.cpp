#include "actors/work_board.hpp"

#include "actors/faults.hpp"
#include "core/payload.hpp"

#include <caf/send.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;
using board_self = caf::stateful_actor<work_board_state>*;

core::work_place place_of(const waiting_fetch& x, const std::string& queue) {
  return {x.request.what.ns, queue};
}

/// The worker waits no longer.
void forget(board_self self, std::uint64_t id) {
  auto& st = self->state;
  auto found = st.fetches.find(id);
  for (auto& queue : found->second.request.what.queues) {
    auto place = st.waiting.find(place_of(found->second, queue));
    if (place == st.waiting.end())
      continue;
    place->second.erase(id);
    if (place->second.empty())
      st.waiting.erase(place);
  }
  st.fetches.erase(found);
}

/// Answers the worker if there is nothing more to wait for.
void answer_if_done(board_self self, std::uint64_t id) {
  auto& x = self->state.fetches.at(id);
  if (x.asked > 0 || (x.got.empty() && !x.late))
    return;
  auto done = x.request.done;
  auto got = std::move(x.got);
  forget(self, id);
  done(std::move(got));
}

/// Asks a job for the first vertex of a line. False if the line is empty.
bool ask_for(board_self self, std::uint64_t id, const core::work_place& place) {
  auto& st = self->state;
  auto& x = st.fetches.at(id);
  auto what = st.lines.take(place);
  if (!what)
    return false;
  ++x.asked;
  auto job = st.jobs.find(what->job);
  self->send(job->second, msg::take_work{*what, id, x.request.what.lease, x.request.what.worker});
  if (!st.lines.waits(what->job))
    st.jobs.erase(job);
  return true;
}

/// Whether the worker is to get another vertex. All that is asked for may come, so few are asked
/// for until something is known of their inputs; then they are taken for as large as those before.
bool wants_more(const waiting_fetch& x) {
  auto expected = x.got.empty() ? 0 : x.bytes / x.got.size() * x.asked;
  return !x.late && x.asked + x.got.size() < x.request.what.count
         && x.asked < work_asked_first + x.got.size()
         && x.bytes + expected < limits::work_fetch_bytes_max;
}

/// Asks for as much as the worker wants and there is.
void serve(board_self self, std::uint64_t id) {
  auto& x = self->state.fetches.at(id);
  for (auto& queue : x.request.what.queues)
    while (wants_more(x) && ask_for(self, id, place_of(x, queue))) {
    }
}

void fetch_work(board_self self, msg::fetch_work& m) {
  auto& st = self->state;
  if (st.fetches.size() >= limits::work_fetchers_max)
    return m.done(error{ec::overloaded, "too many workers wait; fetch again after a while"});
  auto id = m.fetch;
  auto wait = m.what.wait;
  auto& x = st.fetches.emplace(id, waiting_fetch{std::move(m), {}, 0, false}).first->second;
  for (auto& queue : x.request.what.queues)
    st.waiting[place_of(x, queue)].insert(id);
  serve(self, id);
  x.late = wait == core::duration{};
  answer_if_done(self, id);
  if (st.fetches.contains(id))
    self->delayed_send(self, wait == core::duration{} ? limits::request_deadline : wait,
                       msg::fetch_due{id});
}

/// What was asked for is waited for all the same: it may be leased by now.
void fetch_due(board_self self, const msg::fetch_due& m) {
  auto found = self->state.fetches.find(m.fetch);
  if (found == self->state.fetches.end())
    return;
  auto again = std::exchange(found->second.late, true);
  if (again)
    found->second.asked = 0; // Jobs that have not answered for so long are gone.
  else if (found->second.asked > 0)
    self->delayed_send(self, limits::request_deadline, m);
  answer_if_done(self, m.fetch);
}

/// What is leased to nobody is for the next worker, at once and without counting as a delivery.
void give_back(board_self self, const core::token& proof) {
  if (auto found = self->state.leases.find(proof); found != self->state.leases.end())
    self->send(found->second.job,
               msg::lease_over{found->second.what.vertex, proof, msg::lease_end::unclaimed});
}

/// Jobs that were asked answer later: `work_leased` gives back what they lease.
void drop_fetch(board_self self, const msg::drop_fetch& m) {
  auto found = self->state.fetches.find(m.fetch);
  if (found == self->state.fetches.end())
    return;
  for (auto& work : found->second.got)
    give_back(self, work.proof);
  auto done = found->second.request.done;
  forget(self, m.fetch);
  done(std::vector<msg::leased_work>{});
}

void offer_work(board_self self, const msg::offer_work& m) {
  auto& st = self->state;
  st.jobs[m.what.job] = m.job;
  st.lines.offer(m.in, m.what);
  auto waiting = st.waiting.find(m.in);
  if (waiting == st.waiting.end())
    return;
  for (auto id : waiting->second) {
    auto& x = st.fetches.at(id);
    if (wants_more(x)) {
      ask_for(self, id, m.in);
      return;
    }
  }
}

void withdraw_work(board_self self, const msg::withdraw_work& m) {
  self->state.lines.withdraw(m.job);
  self->state.jobs.erase(m.job);
}

void work_refused(board_self self, const msg::work_refused& m) {
  auto found = self->state.fetches.find(m.fetch);
  if (found == self->state.fetches.end() || found->second.asked == 0)
    return;
  --found->second.asked;
  serve(self, m.fetch);
  answer_if_done(self, m.fetch);
}

void watch(board_self self, const core::token& proof, held_lease x) {
  x.until = self->clock().now() + x.term;
  self->delayed_send(self, x.term, msg::lease_due{proof});
  self->state.leases[proof] = std::move(x);
}

std::size_t bytes_of(const msg::told_messages& told) {
  std::size_t bytes = 0;
  if (told)
    for (auto& text : *told)
      bytes += text.size();
  return bytes;
}

void work_leased(board_self self, msg::work_leased& m) {
  auto& st = self->state;
  core::work_key what{m.work.item.job, m.work.vertex};
  watch(self, m.work.proof, {m.job, m.ns, what, m.work.item.lease, {}, false, m.work.told});
  auto found = st.fetches.find(m.fetch);
  if (found == st.fetches.end())
    return give_back(self, m.work.proof);
  found->second.asked -= found->second.asked > 0;
  found->second.bytes += core::encoded_size(m.work.item.inputs) + bytes_of(m.work.told);
  found->second.got.push_back(std::move(m.work));
  serve(self, m.fetch);
  answer_if_done(self, m.fetch);
}

void adopt_lease(board_self self, const msg::adopt_lease& m) {
  auto known = self->state.leases.find(m.proof);
  if (known == self->state.leases.end())
    return watch(self, m.proof, {m.job, m.ns, m.what, m.lease, {}, false, m.messages});
  known->second.job = m.job;
  known->second.told = m.messages;
}

/// A lease that is not known here comes with its messages later.
void tell_leases(board_self self, const msg::tell_leases& m) {
  for (auto& proof : m.proofs)
    if (auto found = self->state.leases.find(proof); found != self->state.leases.end())
      found->second.told = m.messages;
  m.done({});
}

void extend_lease(board_self self, const msg::extend_lease& m) {
  using enum lease_state::condition;
  auto found = self->state.leases.find(m.proof);
  if (found == self->state.leases.end() || found->second.ns != m.ns)
    return m.done(error{ec::no_such_job, "the lease is not known here"});
  found->second.until = self->clock().now() + found->second.term;
  m.done(msg::lease_answer{found->second.cancelled ? cancelled : held, found->second.told});
}

void return_lease(board_self self, const msg::return_lease& m) {
  auto found = self->state.leases.find(m.proof);
  if (found != self->state.leases.end() && found->second.ns == m.ns)
    give_back(self, m.proof);
}

void cancel_lease(board_self self, const msg::cancel_lease& m) {
  if (auto found = self->state.leases.find(m.proof); found != self->state.leases.end())
    found->second.cancelled = true;
}

void lease_due(board_self self, const msg::lease_due& m) {
  auto found = self->state.leases.find(m.proof);
  if (found == self->state.leases.end())
    return;
  auto& x = found->second;
  if (auto left = x.until - self->clock().now(); left > left.zero())
    return self->delayed_send(self, left, m);
  self->send(x.job, msg::lease_over{x.what.vertex, m.proof, msg::lease_end::silent});
  x.until = self->clock().now() + x.term; // It is told again if the job has no actor right now.
  self->delayed_send(self, x.term, m);
}

void report_load(board_self self, const msg::report_load& m) {
  auto& st = self->state;
  runtime_load x;
  x.mailboxes.push_back({st.name, self->mailbox().size()});
  x.waiting_workers = st.fetches.size();
  x.leases = st.leases.size();
  x.limits.push_back({"work_fetches", st.fetches.size(), limits::work_fetchers_max});
  m.done(x);
}

} // namespace

caf::behavior work_board(caf::stateful_actor<work_board_state>* self,
                         std::shared_ptr<environment> env) {
  self->set_default_handler(caf::drop);
  report_faults(self, self->state.name, std::move(env));
  return {
      [self](msg::fetch_work& m) { fetch_work(self, m); },
      [self](const msg::drop_fetch& m) { drop_fetch(self, m); },
      [self](const msg::fetch_due& m) { fetch_due(self, m); },
      [self](const msg::offer_work& m) { offer_work(self, m); },
      [self](const msg::withdraw_work& m) { withdraw_work(self, m); },
      [self](const msg::work_refused& m) { work_refused(self, m); },
      [self](msg::work_leased& m) { work_leased(self, m); },
      [self](const msg::adopt_lease& m) { adopt_lease(self, m); },
      [self](const msg::tell_leases& m) { tell_leases(self, m); },
      [self](const msg::extend_lease& m) { extend_lease(self, m); },
      [self](const msg::return_lease& m) { return_lease(self, m); },
      [self](const msg::cancel_lease& m) { cancel_lease(self, m); },
      [self](const msg::drop_lease& m) { self->state.leases.erase(m.proof); },
      [self](const msg::lease_due& m) { lease_due(self, m); },
      [self](const msg::report_load& m) { report_load(self, m); },
  };
}

} // namespace troupe::actors
