#include "actors/observation.hpp"

#include "core/kind_catalog.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

attempt_fate fate_of(core::attempt_end x) {
  switch (x) {
  case core::attempt_end::succeeded: return attempt_fate::succeeded;
  case core::attempt_end::failed: return attempt_fate::failed;
  case core::attempt_end::timed_out: return attempt_fate::timed_out;
  case core::attempt_end::cancelled: break;
  }
  return attempt_fate::cancelled;
}

job_step step_of(const core::job& x, const core::job_moved& moved, core::shard_time at) {
  job_step step;
  step.from = moved.from;
  step.to = moved.to;
  auto begun = x.started != core::shard_time{};
  if (moved.from == job_state::pending && moved.to == job_state::running && x.started == at)
    step.waited = std::max(at - x.created, core::duration{});
  if (terminal(moved.to) && begun)
    step.ran = std::max(at - x.started, core::duration{});
  if (moved.to == job_state::failed)
    step.error = moved.error.code;
  return step;
}

attempt_step attempt_of(const core::job& x, core::vertex_index v, attempt_fate fate) {
  auto& shape = x.plan->shape(v);
  attempt_step step;
  step.kind = shape.kind;
  step.fate = fate;
  if (shape.kind == "worker")
    step.task = core::worker_task_of(shape.config, x.spec.queue).name;
  return step;
}

bool was_ignored(const core::changes& seen, std::size_t position) {
  return std::ranges::find(seen.ignored, position) != seen.ignored.end();
}

} // namespace

observed_job observed(const core::job& x) {
  return {x.id, x.ns, x.spec.queue, x.plan ? x.plan->name : std::string{}};
}

void observation::note(const core::job& x, const core::record& r, const core::changes& seen) {
  if (std::holds_alternative<core::job_added>(r.body)) {
    steps_.emplace_back();
  } else if (auto moved = std::get_if<core::job_moved>(&r.body)) {
    steps_.push_back(step_of(x, *moved, r.at));
  } else if (auto ended = std::get_if<core::attempt_ended>(&r.body)) {
    if (seen.ignored.empty())
      note_end(x, ended->end, r.at);
  } else if (auto all = std::get_if<core::vertices_ended>(&r.body)) {
    for (std::size_t i = 0; i < all->ends.size(); ++i)
      if (!was_ignored(seen, i))
        note_end(x, all->ends[i], r.at);
  } else if (auto lost = std::get_if<core::attempt_lost>(&r.body)) {
    note_attempt(attempt_of(x, lost->vertex, attempt_fate::lost));
  }
}

void observation::note_end(const core::job& x, const core::vertex_outcome& end,
                           core::shard_time at) {
  auto step = attempt_of(x, end.vertex, fate_of(end.outcome));
  step.error = end.error.code;
  step.took = end.took;
  note_attempt(std::move(step));
  if (end.retry_at > at)
    waited(wait_reason::back_off, end.retry_at - at);
}

/// Pure vertices end by the thousand: what is alike and in a row is told at once.
void observation::note_attempt(attempt_step step) {
  if (!attempts_.empty()) {
    auto& before = attempts_.back();
    if (before.kind == step.kind && before.task == step.task && before.fate == step.fate
        && before.error == step.error && before.took == step.took) {
      ++before.count;
      return;
    }
  }
  attempts_.push_back(std::move(step));
}

void vertex_tally::set(const counts& now) {
  if (now == told_)
    return;
  vertex_changes by{};
  for (std::size_t i = 0; i < now.size(); ++i)
    by[i] = std::int64_t{now[i]} - std::int64_t{told_[i]};
  told_ = now;
  to_->vertices_changed(by);
}

vertex_tally::counts counts_of(const core::job& x) {
  return x.run && !terminal(x.state) ? x.run->count : vertex_tally::counts{};
}

void observation::tell(observer& to, vertex_tally& vertices) const {
  vertices.set(counts_);
  for (std::size_t i = 0; i < waits_.size(); ++i)
    if (waits_[i] > core::duration{})
      to.vertices_waited(job_, wait_reason(i), waits_[i]);
  for (auto& step : attempts_)
    to.attempts_ended(job_, step);
  for (auto& step : steps_)
    to.job_stepped(job_, step);
}

} // namespace troupe::actors
