#include "core/decide_reuse.hpp"

#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::core {

namespace {

constexpr std::size_t reused_bytes_min = 16; // A vertex without its output, at most.
constexpr std::size_t reused_bytes_max = limits::record_group_bytes_max / 2;

/// By vertex: whether it is `from`, or did not come to a result before, or depends on such a one.
std::vector<bool> runs_again(const graph& g, const job& earlier, vertex_index from) {
  std::vector<bool> again(g.size());
  for (auto& layer : layers_of(g))
    for (auto v : layer) {
      auto state = earlier.run->states[v];
      again[v] = v == from || (state != vertex_state::succeeded && state != vertex_state::skipped);
      for (auto at : g.in(v))
        again[v] = again[v] || again[g.edges[at].from];
    }
  return again;
}

bool is_reused(const job& earlier, const std::vector<bool>& again, vertex_index v) {
  return !again[v] && earlier.run->states[v] == vertex_state::succeeded;
}

/// What a vertex takes in the record, at most.
std::size_t reused_bytes(const job& earlier, vertex_index v) {
  auto& output = earlier.run->outputs[v];
  return untaken_bytes(earlier, v) + reused_bytes_min
         + (output.blob() ? sizeof(blob_ref) : encoded_size(output.get()));
}

} // namespace

result<record_group> decide_reuse(const job& x, const job& earlier, vertex_index from,
                                  shard_time now) {
  if (!goes_on(x) || !earlier.run || x.spec.graph != earlier.spec.graph)
    return error{ec::illegal_request, "only a begun job of the same graph has results to reuse"};
  auto again = runs_again(*x.plan, earlier, from);
  vertices_reused all;
  std::size_t bytes = 0;
  for (vertex_index v = 0; v < again.size(); ++v) {
    if (!is_reused(earlier, again, v) || !next(x.run->states[v], vertex_request::reuse))
      continue;
    auto& output = earlier.run->outputs[v];
    all.ends.push_back(
        {v, attempt_end::succeeded, {}, {}, output, {}, untaken_of(x, v, output.get(), false)});
    bytes += reused_bytes(earlier, v);
  }
  if (bytes > reused_bytes_max)
    return error{ec::too_large,
                 "the results to reuse of " + std::to_string(all.ends.size()) + " vertices take "
                     + std::to_string(bytes) + " bytes of a record, allowed are "
                     + std::to_string(reused_bytes_max) + "; begin at an earlier vertex"};
  return all.ends.empty() ? record_group{} : record_group{record_for(x, now, std::move(all))};
}

std::vector<vertex_index> bulky_outputs(const job& earlier, vertex_index from) {
  auto again = runs_again(*earlier.plan, earlier, from);
  std::vector<std::pair<std::size_t, vertex_index>> inline_ones;
  std::size_t bytes = 0;
  for (vertex_index v = 0; v < again.size(); ++v) {
    if (!is_reused(earlier, again, v))
      continue;
    bytes += reused_bytes(earlier, v);
    if (!earlier.run->outputs[v].blob())
      inline_ones.emplace_back(encoded_size(earlier.run->outputs[v].get()), v);
  }
  std::ranges::sort(inline_ones, std::greater{});
  std::vector<vertex_index> bulky;
  for (auto& [size, v] : inline_ones) {
    if (bytes <= reused_bytes_max || size <= sizeof(blob_ref))
      break;
    bulky.push_back(v);
    bytes -= size - sizeof(blob_ref);
  }
  return bulky;
}

} // namespace troupe::core
