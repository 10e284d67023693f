#include "actors/job_actor.hpp"

#include "actors/attempt_reports.hpp"
#include "actors/faults.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace troupe::actors {

namespace {

using self_ptr = caf::stateful_actor<job_actor_state>*;
using core::vertex_index;
namespace msg = messages;

constexpr int rounds_max = 16; // Of starting in one message; then others have their turn.

const core::job& job_of(self_ptr self) { return self->state.book->job(); }
environment& env_of(self_ptr self) { return *self->state.shard->env; }

const shape_traits& traits_of(self_ptr self, vertex_index v) {
  return self->state.traits[job_of(self).plan->shape_of[v]];
}

core::vertex_state state_of(self_ptr self, vertex_index v) { return job_of(self).run->states[v]; }

const core::vertex_detail* detail_of(self_ptr self, vertex_index v) {
  auto& run = job_of(self).run;
  if (!run)
    return nullptr;
  auto found = run->details.find(v);
  return found == run->details.end() ? nullptr : &found->second;
}

bool is_current(self_ptr self, vertex_index v, const core::token& proof) {
  auto detail = detail_of(self, v);
  return detail && detail->current == proof;
}

/// What a `noop` gives, unless it is so large that it goes to a blob first.
std::optional<core::payload> constant_of(const value& config) {
  auto output = config.find("output");
  if (!output)
    return core::payload{};
  if (core::encoded_size(*output) > limits::record_value_bytes_max)
    return {};
  return core::payload{*output};
}

shape_traits traits_of(const environment& env, const core::vertex_shape& shape) {
  auto kind = env.kinds.find(shape.kind);
  auto runner = env.runners.find(shape.kind);
  shape_traits x;
  x.runner = runner == env.runners.end() ? nullptr : runner->second.get();
  if (kind == env.kinds.end())
    return x;
  auto pure = shape.pure;
  if (auto name = shape.config.find("name"); !pure && shape.kind == "function" && name)
    pure = env.is_pure_function(name->string() ? *name->string() : "");
  x.how = core::how_to_run(kind->second, shape.kind, shape.config, pure);
  x.holds_slot = core::holds_slot(kind->second, shape.config);
  if (shape.kind == "noop" && x.how == core::execution::inline_pure)
    x.constant = constant_of(shape.config);
  return x;
}

/// Hands an attempt to the runner of its kind.
void run(self_ptr self, vertex_index v, const core::token& proof, std::uint32_t number,
         value inputs) {
  auto& job = job_of(self);
  auto& shape = job.plan->shape(v);
  auto to = caf::actor{self};
  auto report = reporter(self->state.shard->env, job.ns, to, v, proof);
  auto runner = traits_of(self, v).runner;
  if (!runner)
    return report({attempt_outcome::failed,
                   {},
                   {"no_runner", "", "this node cannot run the kind \"" + shape.kind + "\""}});
  auto say = [to, v, proof](std::string text) {
    caf::anon_send(to, msg::attempt_said{v, proof, std::move(text)});
  };
  auto& name = job.plan->names[v];
  runner->start({proof, job.id, name, number, to_string(job.id) + "/" + name, shape.config,
                 std::move(inputs), shape.timeouts},
                report, say);
}

core::attempt_result cancelled(vertex_index v) {
  return {v, core::attempt_end::cancelled, {}, {"cancelled", "", "its job is ending"}};
}

/// Records the end of an attempt that no runner has.
void end_here(self_ptr self, const core::token& proof, core::attempt_result r) {
  auto& st = self->state;
  auto ended =
      core::decide_attempt_ended(job_of(self), proof, std::move(r), st.book->now(), st.random);
  if (ended)
    st.book->take(std::move(*ended));
  else
    ++env_of(self).counted.stale_completions;
}

/// Asks everything that runs to end. Timers and what no runner has yet end at once.
void end_running(self_ptr self, core::duration grace) {
  auto& st = self->state;
  for (auto& [proof, v] : st.begun)
    traits_of(self, v).runner->cancel(proof, grace);
  for (auto& [proof, v] : st.pooled)
    if (auto runner = traits_of(self, v).runner)
      runner->cancel(proof, core::duration{});
  std::vector<std::pair<vertex_index, core::token>> here;
  if (job_of(self).run)
    for (auto& [v, detail] : job_of(self).run->details)
      if (detail.current && !st.begun.contains(*detail.current))
        here.emplace_back(v, *detail.current);
  for (auto& [v, proof] : here)
    end_here(self, proof, cancelled(v));
}

void arm(self_ptr self, vertex_index v) {
  auto due = detail_of(self, v)->due;
  auto left = std::max(due - self->state.book->now(), core::duration{});
  self->delayed_send(self, left, msg::timer_due{v, due});
}

void start_pooled(self_ptr self, vertex_index v) {
  auto& st = self->state;
  auto all = core::gather(job_of(self), v);
  core::token proof{st.random(), st.random()};
  st.pooled.emplace(proof, v);
  auto detail = detail_of(self, v);
  if (all.wrong)
    self->send(self,
               msg::attempt_done{proof, {v, core::attempt_end::failed, {}, std::move(*all.wrong)}});
  else
    run(self, v, proof, detail ? detail->attempts + 1 : 1, std::move(all.inputs));
}

void start_attempt(self_ptr self, vertex_index v) {
  auto& st = self->state;
  auto started = core::decide_start(job_of(self), v, st.book->now(), st.random);
  if (!started)
    return;
  st.book->take(std::move(*started));
  auto detail = detail_of(self, v);
  if (detail->due != core::shard_time{})
    arm(self, v);
  else
    st.beginning.push_back({v, *detail->current});
}

/// Pure vertices on their way to a vertex actor.
class outgoing_group {
public:
  explicit outgoing_group(self_ptr self) : self_(self) {}

  void add(vertex_index v) {
    auto all = core::gather(job_of(self_), v);
    if (all.wrong)
      wrong_.push_back({v, core::attempt_end::failed, {}, std::move(*all.wrong)});
    else
      tasks_.push_back({v, std::move(all.inputs)});
    if (tasks_.size() >= limits::pure_group_max)
      send();
  }

  void send() {
    if (!wrong_.empty())
      self_->send(self_, msg::vertices_done{std::exchange(wrong_, {}), {}});
    if (tasks_.empty())
      return;
    auto& env = env_of(self_);
    auto& job = job_of(self_);
    auto& to = env.vertex_actors[env.next_vertex_actor++ % env.vertex_actors.size()];
    self_->send(to, msg::run_vertices{caf::actor{self_}, job.id, job.ns, job.plan,
                                      std::exchange(tasks_, {})});
  }

private:
  self_ptr self_;
  std::vector<msg::pure_task> tasks_;
  std::vector<core::attempt_result> wrong_;
};

bool may_start(self_ptr self) {
  auto& job = job_of(self);
  return job.state == core::job_state::running && job.run && !job.run->failing;
}

bool has_slot(self_ptr self) {
  auto own = job_of(self).spec.max_parallel;
  auto most = limits::attempts_in_flight_max;
  return self->state.holders.size() < (own == 0 ? most : std::min<std::size_t>(own, most));
}

vertex_index take_front(std::deque<vertex_index>& from) {
  auto v = from.front();
  from.pop_front();
  return v;
}

/// The next vertex that may start now; those that need a slot wait for one.
std::optional<vertex_index> next_ready(self_ptr self) {
  auto& st = self->state;
  auto free = has_slot(self);
  if (free && !st.blocked.empty())
    return take_front(st.blocked);
  while (!st.ready.empty()) {
    auto v = take_front(st.ready);
    if (free || !traits_of(self, v).holds_slot)
      return v;
    st.blocked.push_back(v);
  }
  return {};
}

/// Attempts that were just decided begin once that is durable.
output with_beginnings(self_ptr self, output out) {
  if (self->state.beginning.empty())
    return out;
  return [to = caf::actor{self}, begins = std::exchange(self->state.beginning, {}),
          out = std::move(out)](const status& outcome) {
    if (outcome)
      for (auto& m : begins)
        caf::anon_send(to, m);
    if (out)
      out(outcome);
  };
}

void take_ready(self_ptr self) {
  auto& st = self->state;
  for (auto v : st.book->take_ready())
    st.ready.push_back(v);
}

/// A vertex has ended or waits for its next attempt: its slot is free, its back-off runs.
void after_end(self_ptr self, vertex_index v) {
  self->state.holders.erase(v);
  if (job_of(self).run && state_of(self, v) == core::vertex_state::backoff)
    arm(self, v);
}

void take_results(self_ptr self, std::vector<core::attempt_result> results, core::duration took) {
  auto& st = self->state;
  std::vector<vertex_index> ended;
  for (auto& r : results)
    ended.push_back(r.vertex);
  st.book->take(core::decide_vertices_ended(job_of(self), std::move(results), took, st.book->now(),
                                            st.random));
  for (auto v : ended)
    after_end(self, v);
}

std::size_t bytes_of(const core::attempt_result& r) {
  return r.output.blob() ? 64 : core::encoded_size(r.output.get()) + r.error.detail.size() + 64;
}

/// Records pure results, in as many record groups as their size needs.
void record(self_ptr self, std::vector<core::attempt_result> results, core::duration took) {
  std::vector<core::attempt_result> part;
  std::size_t bytes = 0;
  for (auto& r : results) {
    bytes += bytes_of(r);
    part.push_back(std::move(r));
    if (bytes < limits::record_group_bytes_max / 2)
      continue;
    take_results(self, std::exchange(part, {}), took);
    self->state.book->flush(with_beginnings(self, {}));
    bytes = 0;
  }
  if (!part.empty())
    take_results(self, std::move(part), took);
}

/// What a vertex that needs no one to run it comes to.
core::attempt_result constant_result(self_ptr self, vertex_index v) {
  if (auto wrong = core::check_inputs(job_of(self), v))
    return {v, core::attempt_end::failed, {}, std::move(*wrong)};
  return {v, core::attempt_end::succeeded, *traits_of(self, v).constant, {}};
}

/// Starts one vertex in the way of its kind.
void start_vertex(self_ptr self, vertex_index v, outgoing_group& group,
                  std::vector<core::attempt_result>& known) {
  auto& traits = traits_of(self, v);
  if (traits.holds_slot)
    self->state.holders.insert(v);
  if (traits.constant)
    known.push_back(constant_result(self, v));
  else if (traits.how == core::execution::inline_pure)
    group.add(v);
  else if (traits.how == core::execution::pooled_pure)
    start_pooled(self, v);
  else
    start_attempt(self, v);
}

/// Starts what is ready, `pure_group_max` vertices at most; pure ones leave in groups. Returns
/// whether more has become ready thereby.
bool start_some(self_ptr self) {
  take_ready(self);
  if (!may_start(self))
    return false;
  outgoing_group group{self};
  std::vector<core::attempt_result> known;
  std::size_t started = 0;
  for (; started < limits::pure_group_max; ++started) {
    auto v = next_ready(self);
    if (!v)
      break;
    auto state = state_of(self, *v);
    if (state == core::vertex_state::ready || state == core::vertex_state::backoff)
      start_vertex(self, *v, group, known);
  }
  group.send();
  auto any = !known.empty();
  record(self, std::move(known), {});
  return any || started == limits::pure_group_max;
}

/// Starts all that is ready; what is left after some rounds has its turn in a message of its own.
void start_all(self_ptr self) {
  for (int round = 0; round < rounds_max; ++round)
    if (!start_some(self))
      return;
  self->send(self, msg::start_ready{});
}

/// Ends one message: starts what it made ready, appends what it decided, tells the shard.
void finish(self_ptr self, output out = {}) {
  auto& st = self->state;
  auto& job = job_of(self);
  start_all(self);
  if (job.run && job.run->failing && !terminal(job.state) && !std::exchange(st.ending, true))
    end_running(self, env_of(self).settings.cancel_grace);
  st.book->flush(with_beginnings(self, std::move(out)));
  if (terminal(job.state) && !std::exchange(st.over, true))
    self->send(st.shard->shard.get(), msg::job_over{job.id});
}

void vertices_done(self_ptr self, msg::vertices_done& m) {
  record(self, std::move(m.results), m.took);
  finish(self);
}

void attempt_begins(self_ptr self, const msg::attempt_begins& m) {
  if (!is_current(self, m.vertex, m.proof))
    return; // It was ended before it began.
  auto all = core::gather(job_of(self), m.vertex);
  if (all.wrong) {
    end_here(self, m.proof, {m.vertex, core::attempt_end::failed, {}, std::move(*all.wrong)});
    after_end(self, m.vertex);
    return finish(self);
  }
  if (traits_of(self, m.vertex).runner)
    self->state.begun.emplace(m.proof, m.vertex);
  run(self, m.vertex, m.proof, detail_of(self, m.vertex)->attempts, std::move(all.inputs));
}

void attempt_done(self_ptr self, msg::attempt_done& m) {
  auto& st = self->state;
  auto v = m.result.vertex;
  st.begun.erase(m.proof);
  if (st.pooled.erase(m.proof) > 0) {
    std::vector<core::attempt_result> one;
    one.push_back(std::move(m.result));
    take_results(self, std::move(one), {});
  } else {
    auto current = is_current(self, v, m.proof);
    end_here(self, m.proof, std::move(m.result));
    if (current)
      after_end(self, v);
  }
  finish(self);
}

/// Records what an attempt said, in pieces that fit into record groups.
void attempt_said(self_ptr self, msg::attempt_said& m) {
  auto& st = self->state;
  while (!m.text.empty()) {
    auto size =
        m.text.size() <= limits::log_piece_bytes_max
            ? m.text.size()
            : std::max<std::size_t>(core::whole_characters(m.text, limits::log_piece_bytes_max), 1);
    auto said =
        core::decide_said(job_of(self), m.vertex, m.proof, m.text.substr(0, size), st.book->now());
    if (!said || said->empty())
      break;
    st.book->take(std::move(*said));
    st.book->flush();
    m.text.erase(0, size);
  }
  finish(self);
}

void timer_due(self_ptr self, const msg::timer_due& m) {
  auto detail = detail_of(self, m.vertex);
  if (!detail || detail->due != m.due || !may_start(self))
    return; // It was moved, or stands still; then it is armed again.
  if (detail->current) {
    end_here(self, *detail->current, {m.vertex, core::attempt_end::succeeded, {}, {}});
    after_end(self, m.vertex);
  } else if (state_of(self, m.vertex) == core::vertex_state::backoff) {
    self->state.ready.push_back(m.vertex);
  }
  finish(self);
}

void move_job(self_ptr self, const msg::move_job& m) {
  auto& st = self->state;
  auto moved = core::decide_move(job_of(self), m.on, m.reason, st.book->now());
  if (!moved)
    return st.book->flush([done = m.done, why = status{moved.error()}](const status& outcome) {
      done(outcome ? why : outcome);
    });
  st.book->take(std::move(*moved));
  if (m.on == core::job_request::cancel || m.on == core::job_request::stop) {
    st.ending = true;
    end_running(self, m.on == core::job_request::stop ? core::duration{}
                                                      : env_of(self).settings.cancel_grace);
  }
  if (m.on == core::job_request::resume)
    for (auto v : core::resume(job_of(self)).timers)
      arm(self, v);
  finish(self, m.done);
}

void get_job(self_ptr self, const msg::get_job& m) {
  self->state.book->flush([done = m.done, info = info_of(job_of(self))](const status& outcome) {
    done(outcome ? result<job_info>{info} : outcome.error());
  });
}

void watch_job(self_ptr self, const msg::watch_job& m) {
  auto& book = *self->state.book;
  auto first = terminal(book.job().state) ? 0 : book.watch();
  book.flush([done = m.done, first](const status& outcome) {
    done(outcome ? result<std::uint64_t>{first} : outcome.error());
  });
}

/// What runs is lost; in order, it does not count. The next owner starts it again.
void lose_running(self_ptr self, bool counts) {
  auto& st = self->state;
  for (auto v : core::resume(job_of(self)).lost) {
    auto proof = *detail_of(self, v)->current;
    if (auto runner = traits_of(self, v).runner)
      runner->cancel(proof, core::duration{});
    if (auto lost = core::decide_lost(job_of(self), v, counts, st.book->now()))
      st.book->take(std::move(*lost));
  }
}

void end_in_order(self_ptr self) {
  for (auto& [proof, v] : self->state.pooled)
    if (auto runner = traits_of(self, v).runner)
      runner->cancel(proof, core::duration{});
  if (!terminal(job_of(self).state))
    lose_running(self, false);
  self->state.book->flush();
  self->quit();
}

/// Goes on where the records end, be it at the beginning.
void begin(self_ptr self) {
  auto& st = self->state;
  auto& job = job_of(self);
  for (auto& shape : job.plan->shapes)
    st.traits.push_back(traits_of(env_of(self), shape));
  if (terminal(job.state)) {
    st.over = true;
    return;
  }
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
  finish(self);
}

} // namespace

caf::behavior job_actor(caf::stateful_actor<job_actor_state>* self,
                        std::shared_ptr<shard_context> shard, job_book book) {
  auto& st = self->state;
  self->set_default_handler(caf::drop);
  st.random = shard->env->make_random();
  st.shard = std::move(shard);
  report_faults(self, st.name, st.shard->env);
  st.book.emplace(std::move(book));
  begin(self);
  return {
      [self](const msg::start_ready&) { finish(self); },
      [self](msg::vertices_done& m) { vertices_done(self, m); },
      [self](const msg::attempt_begins& m) { attempt_begins(self, m); },
      [self](msg::attempt_done& m) { attempt_done(self, m); },
      [self](msg::attempt_said& m) { attempt_said(self, m); },
      [self](const msg::timer_due& m) { timer_due(self, m); },
      [self](const msg::move_job& m) { move_job(self, m); },
      [self](const msg::get_job& m) { get_job(self, m); },
      [self](const msg::watch_job& m) { watch_job(self, m); },
      [self](const msg::end_in_order&) { end_in_order(self); },
  };
}

} // namespace troupe::actors
