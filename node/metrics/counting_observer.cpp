#include "node/metrics/families.hpp"

namespace troupe::node {

namespace {

template <class Duration>
double seconds(Duration x) {
  return std::chrono::duration<double>(x).count();
}

constexpr const char* strategy = "one_for_one";
constexpr const char* job_wait_reason = "queue";

} // namespace

counting_observer::counting_observer(families& to)
    : all_(to),
      commit_(to.commit.Add({}, commit_buckets())),
      records_(to.batch_records.Add({}, record_buckets())),
      bytes_(to.journal_bytes.Add({})),
      stale_(to.stale.Add({})),
      expired_(to.expired.Add({})),
      restarts_(to.restarts.Add({{"strategy", strategy}})),
      escalations_(to.escalations.Add({})),
      queue_wait_(to.waits.Add({{"reason", job_wait_reason}})) {
  for (auto why : {ec::overloaded, ec::no_space}) // A first refusal shows in a rate, too.
    to.rejected.Add({{"reason", to_string(why)}});
  for (std::size_t i = 0; i < waits_.size(); ++i)
    waits_[i] = &to.waits.Add({{"reason", to_string(wait_reason(i))}});
  for (std::size_t i = 0; i < vertices_.size(); ++i)
    vertices_[i] = &to.vertices.Add({{"state", to_string(vertex_state(i))}});
}

void counting_observer::job_stepped(const observed_job& job, const job_step& step) {
  auto& flow = all_.of_flow(job.graph);
  if (step.from == job_state::pending) {
    flow.queued->Decrement();
    all_.waiting.remove(all_.queues.label(job.queue, "none"), job.id);
  }
  if (step.to == job_state::pending) {
    flow.queued->Increment();
    all_.waiting.add(all_.queues.label(job.queue, "none"), job.id);
  }
  if (step.waited) {
    flow.wait->Observe(seconds(*step.waited));
    queue_wait_.Increment(seconds(*step.waited));
  }
  if (step.ran)
    flow.run->Observe(seconds(*step.ran));
  if (auto ended = flow.finished[std::size_t(step.to)])
    ended->Increment();
  if (step.to == job_state::failed)
    all_.error_of(job.graph, step.error).Increment();
}

void counting_observer::job_found(const observed_job& job, job_state state) {
  if (state != job_state::pending)
    return;
  all_.of_flow(job.graph).queued->Increment();
  all_.waiting.add(all_.queues.label(job.queue, "none"), job.id);
}

void counting_observer::attempts_ended(const observed_job& job, const attempt_step& step) {
  all_.of_kind(step.kind).ended[std::size_t(step.fate)]->Increment(step.count);
  if (step.fate == attempt_fate::lost)
    return; // How long it ran is not known.
  observe(all_.run_of(job.graph, step), wait_buckets(), seconds(step.took), step.count);
  if (step.fate == attempt_fate::failed || step.fate == attempt_fate::timed_out)
    all_.error_of(job.graph, step.error).Increment(step.count);
}

void counting_observer::job_refused(const std::string&, ec why) {
  all_.rejected.Add({{"reason", to_string(why)}}).Increment();
}

void counting_observer::vertices_changed(const vertex_changes& by) {
  for (std::size_t i = 0; i < by.size(); ++i)
    if (by[i] != 0)
      vertices_[i]->Increment(static_cast<double>(by[i]));
}

void counting_observer::vertices_waited(const observed_job&, wait_reason why,
                                        std::chrono::milliseconds time) {
  waits_[std::size_t(why)]->Increment(seconds(time));
}

void counting_observer::batch_written(const batch_step& step) {
  commit_.Observe(seconds(step.took));
  records_.Observe(static_cast<double>(step.records));
  bytes_.Increment(static_cast<double>(step.bytes));
}

void counting_observer::happened(occurrence x) {
  switch (x) {
  case occurrence::job_restarted:
  case occurrence::shard_restarted: return restarts_.Increment();
  case occurrence::job_escalated:
  case occurrence::shard_escalated: return escalations_.Increment();
  case occurrence::stale_completion: return stale_.Increment();
  case occurrence::lease_expired: return expired_.Increment();
  }
}

} // namespace troupe::node
