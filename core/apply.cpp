#include "core/job.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace troupe::core {

namespace {

/// Changes one job by one record; lists the vertices that follow from it.
class applier {
public:
  applier(job& x, const record& r, changes& seen) : job_(x), record_(r), seen_(seen) {}

  void operator()(const job_moved& x) {
    if (job_.state != x.from || !leads(x.from, x.to))
      return ignore(0);
    job_.state = x.to;
    if (x.to == job_state::paused)
      job_.paused_at = record_.at;
    if (x.from == job_state::paused && x.to == job_state::running)
      thaw();
    if (x.to == job_state::running && !job_.run)
      begin();
    if (x.to == job_state::failed)
      job_.error = x.error;
    if (terminal(x.to))
      end();
  }

  void operator()(const attempt_started& x) { start(x.vertex, x.number, x.proof, x.due, {}); }

  void operator()(const attempt_leased& x) { start(x.vertex, x.number, x.proof, {}, x.lease); }

  void operator()(const attempt_ended& x) {
    if (!is_current(x.end.vertex, x.proof))
      return ignore(0);
    auto& detail = run().details[x.end.vertex];
    detail.ended = std::exchange(detail.current, std::nullopt);
    end_vertex(x.end, 0);
  }

  void operator()(const vertices_ended& x) {
    for (std::uint32_t i = 0; i < x.ends.size(); ++i)
      if (startable(x.ends[i].vertex))
        end_vertex(x.ends[i], i);
      else
        ignore(i);
  }

  void operator()(const attempt_lost& x) {
    if (!is_current(x.vertex, x.proof) || !move(x.vertex, vertex_request::lose))
      return ignore(0);
    auto& detail = run().details[x.vertex];
    detail.current.reset();
    detail.due = {};
    detail.redeliveries += x.counts;
    seen_.ready.push_back({x.vertex, 0});
  }

  void operator()(const vertices_reused& x) {
    for (std::uint32_t i = 0; i < x.ends.size(); ++i) {
      auto& end = x.ends[i];
      if (!has(end.vertex) || !move(end.vertex, vertex_request::reuse)) {
        ignore(i);
        continue;
      }
      run().outputs[end.vertex] = end.output;
      resolve(end.vertex, end.untaken, i);
    }
    // What was ready before its own turn in the list is ready no more.
    std::erase_if(seen_.ready, [&](auto& c) { return state(c.vertex) != vertex_state::ready; });
  }

  void operator()(const stream_appended& x) {
    if (!has(x.vertex) || !run().details.contains(x.vertex))
      return ignore(0);
    job_.streamed += x.text.size();
    job_.stream_cut = x.cut;
    auto& detail = run().details[x.vertex];
    detail.said += x.text.size();
    ++detail.pieces;
  }

  void operator()(const message_added& x) {
    if (terminal(job_.state))
      return ignore(0);
    job_.messages.push_back(x.text);
  }

  void operator()(const auto&) { ignore(0); }

private:
  job_run& run() { return *job_.run; }
  const graph& plan() const { return *job_.plan; }
  vertex_state state(vertex_index v) { return run().states[v]; }
  void ignore(std::uint32_t position) { seen_.ignored.push_back(position); }

  static bool leads(job_state from, job_state to) {
    return std::ranges::any_of(job_transitions,
                               [=](auto& row) { return row.from == from && row.to == to; });
  }

  /// Whether there is such a vertex and the job still changes.
  bool has(vertex_index v) const {
    return job_.run && v < job_.run->states.size() && !terminal(job_.state);
  }

  bool startable(vertex_index v) { return has(v) && next(state(v), vertex_request::start); }

  bool is_current(vertex_index v, const token& proof) {
    if (!has(v))
      return false;
    auto found = run().details.find(v);
    return found != run().details.end() && found->second.current == proof;
  }

  bool move(vertex_index v, vertex_request on) {
    auto to = next(state(v), on);
    if (!to)
      return false;
    --run().count[std::size_t(state(v))];
    ++run().count[std::size_t(*to)];
    run().states[v] = *to;
    return true;
  }

  void start(vertex_index v, std::uint32_t number, const token& proof, shard_time due,
             duration lease) {
    if (!has(v) || !move(v, vertex_request::start))
      return ignore(0);
    auto& detail = run().details[v];
    detail.attempts = number;
    detail.current = proof;
    detail.started = record_.at;
    detail.due = due;
    detail.lease = lease;
    detail.pieces = 0;
    seen_.reset = std::exchange(detail.said, 0) > 0;
  }

  void begin() {
    job_.started = record_.at;
    auto& run = job_.run.emplace();
    auto size = plan().size();
    run.states.assign(size, vertex_state::waiting);
    run.inputs.resize(size);
    run.edges.assign(plan().edges.size(), edge_state::open);
    run.outputs.resize(size);
    run.count[std::size_t(vertex_state::waiting)] = size;
    for (vertex_index v = 0; v < size; ++v)
      run.inputs[v].open = static_cast<std::uint32_t>(plan().in(v).size());
    for (vertex_index v = 0; v < size; ++v)
      if (run.inputs[v].open == 0)
        make_ready(v, 0);
  }

  /// A pause freezes timers: what was left of them is left still.
  void thaw() {
    if (!job_.run)
      return;
    for (auto& [v, detail] : run().details)
      if (detail.due != shard_time{} && !terminal(state(v)))
        detail.due += record_.at - job_.paused_at;
  }

  void end() {
    job_.ended = record_.at;
    if (!job_.run)
      return;
    for (vertex_index v = 0; v < run().states.size() && run().open() > 0; ++v)
      if (!terminal(state(v)))
        move(v, vertex_request::cancel);
  }

  void make_ready(vertex_index v, std::uint32_t cause) {
    move(v, vertex_request::satisfy);
    seen_.ready.push_back({v, cause});
  }

  void end_vertex(const vertex_outcome& x, std::uint32_t cause) {
    if (x.outcome == attempt_end::succeeded)
      succeed(x, cause);
    else if (x.outcome == attempt_end::cancelled)
      move(x.vertex, vertex_request::cancel);
    else
      fail(x, cause);
  }

  void succeed(const vertex_outcome& x, std::uint32_t cause) {
    if (!move(x.vertex, vertex_request::succeed))
      return;
    run().outputs[x.vertex] = x.output;
    resolve(x.vertex, x.untaken, cause);
  }

  void fail(const vertex_outcome& x, std::uint32_t cause) {
    auto retried = x.retry_at != shard_time{};
    auto pure = state(x.vertex) != vertex_state::running;
    if (!move(x.vertex, retried ? vertex_request::retry : vertex_request::fail))
      return;
    auto& detail = run().details[x.vertex];
    detail.attempts += pure;
    detail.due = x.retry_at;
    if (retried && job_.state == job_state::paused)
      detail.due -= record_.at - job_.paused_at; // `thaw` adds all of the pause.
    detail.error = x.error;
    if (retried)
      return;
    if (plan().shape(x.vertex).on_error == on_error_policy::fail_job)
      run().failing = true;
    else
      resolve(x.vertex, x.untaken, cause);
  }

  /// Settles the outgoing edges of a vertex that has ended, and of all that is skipped thereby.
  void resolve(vertex_index v, const std::vector<std::uint32_t>& untaken, std::uint32_t cause) {
    auto first = seen_.skipped.size();
    auto begin = plan().out_begin[v];
    for (auto& e : plan().out(v)) {
      auto at = static_cast<edge_index>(&e - plan().edges.data());
      auto taken = !std::binary_search(untaken.begin(), untaken.end(), at - begin);
      settle(at, edge_after(v, e, taken), cause);
    }
    for (auto i = first; i < seen_.skipped.size(); ++i) {
      auto skipped = seen_.skipped[i].vertex;
      auto to = lost_input(skipped) ? edge_state::failed : edge_state::skipped;
      for (auto& e : plan().out(skipped))
        settle(static_cast<edge_index>(&e - plan().edges.data()), to, cause);
    }
  }

  edge_state edge_after(vertex_index v, const edge& e, bool taken) {
    if (!taken)
      return edge_state::skipped;
    if (state(v) == vertex_state::succeeded)
      return e.on_error ? edge_state::skipped : edge_state::live;
    if (plan().shape(v).on_error == on_error_policy::route)
      return e.on_error ? edge_state::live : edge_state::skipped;
    return edge_state::failed;
  }

  /// Whether a skipped vertex was skipped because something it needs has failed.
  bool lost_input(vertex_index v) { return run().inputs[v].failed > 0; }

  void settle(edge_index at, edge_state to, std::uint32_t cause) {
    auto target = plan().edges[at].to;
    auto& inputs = run().inputs[target];
    if (state(target) != vertex_state::waiting) {
      run().edges[at] = edge_state::ignored; // Its join was decided before.
      return;
    }
    run().edges[at] = to;
    --inputs.open;
    inputs.live += to == edge_state::live;
    inputs.failed += to == edge_state::failed;
    decide_join(target, inputs, cause);
  }

  void decide_join(vertex_index v, const input_counts& x, std::uint32_t cause) {
    auto total = static_cast<std::uint32_t>(plan().in(v).size());
    auto verdict = joined(plan().shape(v).join, x, total);
    if (verdict == join_verdict::run)
      make_ready(v, cause);
    else if (verdict == join_verdict::skip && move(v, vertex_request::skip))
      seen_.skipped.push_back({v, cause});
  }

  enum class join_verdict { wait, run, skip };

  static join_verdict enough(std::uint32_t needed, const input_counts& x) {
    if (x.live >= needed)
      return join_verdict::run;
    return x.live + x.open < needed ? join_verdict::skip : join_verdict::wait;
  }

  static join_verdict joined(const join_spec& join, const input_counts& x, std::uint32_t total) {
    switch (join.policy) {
    case join_policy::any: return enough(1, x);
    case join_policy::n: return enough(join.count, x);
    case join_policy::quorum: return enough(total / 2 + 1, x);
    case join_policy::all:
      if (x.failed > 0)
        return join_verdict::skip;
      [[fallthrough]];
    case join_policy::ignore_failed: break;
    }
    if (x.open > 0)
      return join_verdict::wait;
    return x.live > 0 ? join_verdict::run : join_verdict::skip;
  }

  job& job_;
  const record& record_;
  changes& seen_;
};

struct event_counter {
  const changes& seen;

  std::uint64_t operator()(const job_added&) { return 1; }
  std::uint64_t operator()(const job_moved& m) {
    if (terminal(m.to))
      return 2 + (m.to == job_state::failed); // `state`, `error`, `end`
    return 1 + (m.from == job_state::pending && m.to == job_state::running); // `vertices_sorted`
  }
  std::uint64_t operator()(const attempt_started&) { return 1 + seen.reset; }
  std::uint64_t operator()(const attempt_leased&) { return 1 + seen.reset; }
  std::uint64_t operator()(const attempt_ended&) { return 1; }
  std::uint64_t operator()(const vertices_ended& m) {
    return 2 * (m.ends.size() - seen.ignored.size());
  }
  std::uint64_t operator()(const vertices_reused& m) { return m.ends.size() - seen.ignored.size(); }
  std::uint64_t operator()(const stream_appended&) { return 1; }
  std::uint64_t operator()(const message_added&) { return 1; }
  std::uint64_t operator()(const auto&) { return 0; }
};

} // namespace

job job_of(const record& r) {
  job x;
  x.id = r.job;
  x.ns = r.ns;
  x.shard = r.shard;
  x.spec = std::get<job_added>(r.body);
  x.created = r.at;
  x.events = 1;
  return x;
}

void apply(job& x, const record& r, changes& seen) {
  assert(seen.ready.empty() && seen.skipped.empty() && seen.ignored.empty());
  std::visit(applier{x, r, seen}, r.body);
  x.events += events_of(r, seen);
}

std::uint64_t events_of(const record& r, const changes& seen) {
  auto several = std::holds_alternative<vertices_ended>(r.body)
                 || std::holds_alternative<vertices_reused>(r.body);
  if (!several && !seen.ignored.empty())
    return 0;
  return std::visit(event_counter{seen}, r.body) + seen.skipped.size();
}

bool operator==(const job& a, const job& b) {
  return a.id == b.id && a.ns == b.ns && a.shard == b.shard && a.state == b.state
         && a.spec == b.spec && a.created == b.created && a.started == b.started
         && a.ended == b.ended && a.paused_at == b.paused_at && a.error == b.error
         && a.events == b.events && a.streamed == b.streamed && a.stream_cut == b.stream_cut
         && a.messages == b.messages && a.run == b.run;
}

} // namespace troupe::core
