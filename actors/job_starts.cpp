#include "actors/job_starts.hpp"

#include "actors/attempt_reports.hpp"
#include "actors/job_ends.hpp"
#include "actors/job_leases.hpp"
#include "core/trace.hpp"

#include <caf/send.hpp>

namespace troupe::actors {

using core::vertex_index;
namespace msg = messages;

namespace {

constexpr int rounds_max = 16; // Of starting in one message; then others have their turn.

/// The config of an attempt. A program is told the trace of its attempt by its environment.
value config_of(const core::vertex_shape& shape, const std::string& trace) {
  if (shape.kind != "exec" || trace.empty())
    return shape.config;
  auto config = shape.config;
  auto own = config.find("env");
  auto all = own && own->members() ? *own->members() : value::object{};
  all.try_emplace("TRACEPARENT", trace);
  config["env"] = std::move(all);
  return config;
}

/// Where the attempt that `proof` is of says what it has to say. Nobody hears those of which
/// nothing is recorded before their end.
attempt_runner::log voice_of(job_self self, vertex_index v, const core::token& proof) {
  auto& st = self->state;
  if (st.pooled.contains(proof))
    return [](const std::string&) {};
  auto said = std::make_shared<said_text>(st.said_left);
  st.saying.emplace(proof, said);
  return [to = caf::actor{self}, v, proof, said](std::string text) {
    if (said->add(std::move(text)))
      caf::anon_send(to, msg::attempt_said{v, proof});
  };
}

/// Hands an attempt to the runner of its kind.
void run(job_self self, vertex_index v, const core::token& proof, std::uint32_t number,
         value inputs) {
  auto& job = job_of(self);
  auto& shape = job.plan->shape(v);
  auto to = caf::actor{self};
  auto report = reporter(self->state.shard->env, job.ns, to, v, proof);
  auto runner = traits_of(self, v).runner;
  if (!runner)
    return report({attempt_end::failed,
                   {},
                   {"no_runner", "", "this node cannot run the kind \"" + shape.kind + "\""}});
  auto& name = job.plan->names[v];
  auto trace = core::trace_of_attempt(job.spec.labels, job.id, name, number);
  attempt x{proof,
            job.id,
            name,
            number,
            to_string(job.id) + "/" + name,
            config_of(shape, trace),
            std::move(inputs),
            shape.timeouts,
            std::move(trace)};
  runner->start(std::move(x), report, voice_of(self, v, proof));
}

void start_pooled(job_self self, vertex_index v) {
  auto& st = self->state;
  auto all = core::gather(job_of(self), v);
  core::token proof{st.random(), st.random()};
  st.pooled.emplace(proof, pooled_attempt{v, st.book->now()});
  auto detail = detail_of(self, v);
  if (all.wrong)
    self->send(self,
               msg::attempt_done{proof, {v, core::attempt_end::failed, {}, std::move(*all.wrong)}});
  else
    run(self, v, proof, detail ? detail->attempts + 1 : 1, std::move(all.inputs));
}

void start_attempt(job_self self, vertex_index v) {
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
  explicit outgoing_group(job_self self) : self_(self) {}

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
  job_self self_;
  std::vector<msg::pure_task> tasks_;
  std::vector<core::attempt_result> wrong_;
};

bool has_slot(job_self self) {
  auto own = job_of(self).spec.max_parallel;
  auto most = limits::attempts_in_flight_max;
  return self->state.holders.size() < (own == 0 ? most : std::min<std::size_t>(own, most));
}

auto take_front(auto& from) {
  auto x = from.front();
  from.pop_front();
  return x;
}

/// The next vertex that may start now; those that need a slot wait for one.
std::optional<vertex_index> next_ready(job_self self) {
  auto& st = self->state;
  auto free = has_slot(self);
  if (free && !st.blocked.empty()) {
    auto next = take_front(st.blocked);
    st.book->waited(wait_reason::max_parallel, st.book->now() - next.since);
    return next.vertex;
  }
  while (!st.ready.empty()) {
    auto v = take_front(st.ready);
    if (free || !traits_of(self, v).holds_slot)
      return v;
    st.blocked.push_back({v, st.book->now()});
  }
  return {};
}

void take_ready(job_self self) {
  auto& st = self->state;
  for (auto v : st.book->take_ready())
    st.ready.push_back(v);
}

/// What a vertex that needs no one to run it comes to.
core::attempt_result constant_result(job_self self, vertex_index v) {
  if (auto wrong = core::check_inputs(job_of(self), v))
    return {v, core::attempt_end::failed, {}, std::move(*wrong)};
  return {v, core::attempt_end::succeeded, *traits_of(self, v).constant, {}};
}

/// Starts one vertex in the way of its kind.
void start_vertex(job_self self, vertex_index v, outgoing_group& group,
                  std::vector<core::attempt_result>& known) {
  auto& traits = traits_of(self, v);
  if (traits.holds_slot)
    self->state.holders.insert(v);
  if (traits.constant)
    known.push_back(constant_result(self, v));
  else if (traits.how == core::execution::leased)
    offer(self, v);
  else if (traits.how == core::execution::inline_pure)
    group.add(v);
  else if (traits.how == core::execution::pooled_pure)
    start_pooled(self, v);
  else
    start_attempt(self, v);
}

/// While too many blobs wait, nothing starts; it is looked at again and again.
bool held_back(job_self self) {
  auto& st = self->state;
  if (!env_of(self).blobs_lag())
    return false;
  if (!std::exchange(st.held_back, true))
    self->delayed_send(self, limits::blob_queue_retry, msg::start_ready{});
  return true;
}

/// Starts what is ready, `pure_group_max` vertices at most; pure ones leave in groups. Returns
/// whether more has become ready thereby.
bool start_some(job_self self) {
  take_ready(self);
  if (!may_start(self) || held_back(self))
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

} // namespace

bool may_start(job_self self) {
  auto& job = job_of(self);
  return job.state == core::job_state::running && job.run && !job.run->failing;
}

void start_all(job_self self) {
  for (int round = 0; round < rounds_max; ++round) {
    if (!start_some(self))
      return;
    flush_if_full(self);
  }
  self->send(self, msg::start_ready{});
}

bool begin_attempt(job_self self, const msg::attempt_begins& m) {
  if (!is_current(self, m.vertex, m.proof))
    return false; // It was ended before it began.
  auto all = core::gather(job_of(self), m.vertex);
  if (all.wrong) {
    end_attempt(self, m.proof, {m.vertex, core::attempt_end::failed, {}, std::move(*all.wrong)});
    after_end(self, m.vertex);
    return true;
  }
  if (traits_of(self, m.vertex).runner)
    self->state.begun.emplace(m.proof, m.vertex);
  run(self, m.vertex, m.proof, detail_of(self, m.vertex)->attempts, std::move(all.inputs));
  return false;
}

} // namespace troupe::actors
