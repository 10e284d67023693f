#include "core/output_release.hpp"

#include <algorithm>

namespace troupe::core {

namespace {

/// The first edge from `next` on whose vertex has not ended, or the end of those of `v`.
edge_index skip_ended(const job& x, vertex_index v, edge_index next) {
  auto& plan = *x.plan;
  while (next < plan.out_begin[v + 1] && terminal(x.run->states[plan.edges[next].to]))
    ++next;
  return next;
}

/// What `r` says of vertices that have ended.
std::span<const vertex_outcome> outcomes_of(const record& r) {
  if (auto pure = std::get_if<vertices_ended>(&r.body))
    return pure->ends;
  if (auto one = std::get_if<attempt_ended>(&r.body))
    return {&one->end, 1};
  if (auto reused = std::get_if<vertices_reused>(&r.body))
    return reused->ends;
  return {};
}

} // namespace

bool is_read_again(const job& x, vertex_index v) {
  return std::ranges::find(x.plan->result, v) != x.plan->result.end()
         || skip_ended(x, v, x.plan->out_begin[v]) < x.plan->out_begin[v + 1];
}

output_release::output_release(job& x) {
  if (!x.run)
    return;
  for (vertex_index v = 0; v < x.run->outputs.size(); ++v)
    hold(x, v);
  release(x);
}

void output_release::hold(const job& x, vertex_index v) {
  auto& output = x.run->outputs[v];
  if (!output.blob() || !output.loaded())
    return;
  if (in_result_.empty()) {
    in_result_.resize(x.plan->size());
    for (auto i : x.plan->result)
      in_result_[i] = true;
  }
  if (!in_result_[v])
    held_.push_back({v, x.plan->out_begin[v]});
}

void output_release::release(job& x) {
  std::erase_if(held_, [&](held_output& h) {
    h.next = skip_ended(x, h.vertex, h.next);
    if (h.next < x.plan->out_begin[h.vertex + 1])
      return false;
    auto& output = x.run->outputs[h.vertex];
    output = payload{*output.blob()};
    return true;
  });
}

void output_release::release_all(job& x) {
  held_.clear();
  if (x.run)
    for (auto& output : x.run->outputs)
      if (auto blob = output.blob(); blob && output.loaded())
        output = payload{*blob};
}

void output_release::after(job& x, const record& r) {
  auto ends = outcomes_of(r);
  if (ends.empty() || !x.run)
    return;
  for (auto& end : ends)
    if (end.vertex < x.run->outputs.size())
      hold(x, end.vertex);
  release(x);
}

} // namespace troupe::core
