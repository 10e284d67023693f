#include "actors/job_ends.hpp"

#include "actors/job_leases.hpp"
#include "troupe/limits.hpp"

namespace troupe::actors {

using core::vertex_index;

namespace {

core::attempt_result cancelled(vertex_index v) {
  return {v, core::attempt_end::cancelled, {}, {"cancelled", "", "its job is ending"}};
}

void take_results(job_self self, std::vector<core::attempt_result> results, core::duration took) {
  auto& st = self->state;
  std::vector<vertex_index> ended;
  for (auto& r : results)
    ended.push_back(r.vertex);
  st.book->take(core::decide_vertices_ended(job_of(self), std::move(results), took, st.book->now(),
                                            st.random));
  for (auto v : ended)
    after_end(self, v);
}

constexpr std::size_t result_bytes = 64; ///< Of one without contents.

std::size_t bytes_of(const core::attempt_result& r) {
  return result_bytes + (r.output.blob() ? 0 : core::encoded_size(r.output.get()))
         + r.error.code.size() + r.error.pointer.size() + r.error.detail.size();
}

} // namespace

void end_attempt(job_self self, const core::token& proof, core::attempt_result r) {
  auto& st = self->state;
  auto ended =
      core::decide_attempt_ended(job_of(self), proof, std::move(r), st.book->now(), st.random);
  if (ended)
    st.book->take(std::move(*ended));
  else
    env_of(self).refused_stale();
}

bool end_pooled(job_self self, const core::token& proof, core::attempt_result&& r) {
  auto& st = self->state;
  auto found = st.pooled.find(proof);
  if (found == st.pooled.end())
    return false;
  auto took = st.book->now() - found->second.started;
  st.pooled.erase(found);
  std::vector<core::attempt_result> one;
  one.push_back(std::move(r));
  take_results(self, std::move(one), took);
  return true;
}

void record(job_self self, std::vector<core::attempt_result> results, core::duration took) {
  std::vector<core::attempt_result> part;
  std::size_t bytes = 0;
  for (auto& r : results) {
    bytes += bytes_of(r) + core::untaken_bytes(job_of(self), r.vertex);
    part.push_back(std::move(r));
    if (!self->state.book->is_full(bytes))
      continue;
    take_results(self, std::exchange(part, {}), took);
    flush(self);
    bytes = 0;
  }
  if (!part.empty())
    take_results(self, std::move(part), took);
}

void after_end(job_self self, vertex_index v) {
  self->state.holders.erase(v);
  self->state.due.erase(v);
  if (job_of(self).run && state_of(self, v) == core::vertex_state::backoff)
    arm(self, v);
}

void end_running(job_self self, core::duration grace) {
  auto& st = self->state;
  for (auto& [proof, v] : st.begun)
    traits_of(self, v).runner->cancel(proof, grace);
  end_leases(self, grace);
  drop_pooled(self);
  auto waited_for = [&](auto& x) {
    return st.begun.contains(*x.current)
           || (x.lease > core::duration{} && grace > core::duration{});
  };
  std::vector<std::pair<vertex_index, core::token>> here;
  if (job_of(self).run)
    for (auto& [v, detail] : job_of(self).run->details)
      if (detail.current && !waited_for(detail))
        here.emplace_back(v, *detail.current);
  for (auto& [v, proof] : here) {
    if (detail_of(self, v)->lease > core::duration{})
      drop_lease(self, proof);
    end_attempt(self, proof, cancelled(v));
    flush_if_full(self);
  }
}

void lose_running(job_self self, bool counts) {
  auto& st = self->state;
  for (auto v : core::resume(job_of(self)).lost) {
    auto proof = *detail_of(self, v)->current;
    if (detail_of(self, v)->lease > core::duration{})
      drop_lease(self, proof);
    if (auto runner = traits_of(self, v).runner)
      runner->cancel(proof, counts ? core::duration{} : limits::close_grace);
    if (auto lost = core::decide_lost(job_of(self), v, counts, st.book->now()))
      st.book->take(std::move(*lost));
    flush_if_full(self);
  }
}

void drop_pooled(job_self self) {
  for (auto& [proof, x] : self->state.pooled)
    if (auto runner = traits_of(self, x.vertex).runner)
      runner->cancel(proof, core::duration{});
}

} // namespace troupe::actors
