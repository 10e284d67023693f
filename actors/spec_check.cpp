#include "actors/spec_check.hpp"

#include "actors/job_book.hpp"
#include "core/names.hpp"

namespace troupe::actors {

namespace {

constexpr auto name_rule = "1 to 128 of A-Z a-z 0-9 _ . : -";

status check_names(const job_spec& spec) {
  if (!core::is_name(spec.queue))
    return error{ec::invalid_spec,
                 "queue: " + core::quoted(spec.queue) + " is no name: " + name_rule};
  if (spec.labels.size() > limits::labels_max)
    return error{ec::invalid_spec, "labels: " + std::to_string(spec.labels.size())
                                       + " of them, allowed are "
                                       + std::to_string(limits::labels_max)};
  for (auto& [key, x] : spec.labels)
    if (!core::is_name(key) || x.size() > limits::label_bytes_max)
      return error{ec::invalid_spec, "labels: " + core::quoted(key) + " is no name (" + name_rule
                                         + "), or its value has more than "
                                         + std::to_string(limits::label_bytes_max) + " bytes"};
  return {};
}

result<core::payload> input_of(const job_spec& spec, storage::blob_store& blobs) {
  auto size = core::encoded_size(spec.input);
  if (size <= limits::record_value_bytes_max)
    return core::payload{spec.input};
  if (size > limits::value_bytes_max)
    return error{ec::too_large, "input: " + std::to_string(size) + " bytes, allowed are "
                                    + std::to_string(limits::value_bytes_max)};
  core::bytes raw;
  core::encode(spec.input, raw);
  auto stored = blobs.put(spec.ns, raw);
  if (!stored)
    return stored.error();
  return core::payload{core::blob_ref{*stored, raw.size()},
                       std::make_shared<const value>(spec.input)};
}

/// The job whose results are reused, as it stands.
status find_earlier(const reuse_spec& reuse, engine& engine, messages::submit_job& to) {
  auto& shard = engine.shard(reuse.job);
  auto earlier = shard.view->load(reuse.job, shard.graph_source());
  if (!earlier)
    return earlier.error();
  if (auto loaded = load_blobs(*earlier, engine.env()); !loaded)
    return loaded;
  auto& names = to.plan->names;
  auto at = std::find(names.begin(), names.end(), reuse.vertex);
  if (at == names.end())
    return error{ec::no_such_vertex, "the graph has no vertex " + core::quoted(reuse.vertex)};
  to.from = static_cast<core::vertex_index>(at - names.begin());
  to.spec.retry_of = reuse.job;
  to.earlier = std::make_shared<const core::job>(std::move(*earlier));
  return {};
}

} // namespace

result<messages::submit_job> checked(const job_spec& spec, engine& engine) {
  if (auto named = check_names(spec); !named)
    return named.error();
  auto plan = engine.env().graphs->find(spec.ns, spec.graph);
  if (!plan)
    return plan.error();
  auto input = input_of(spec, engine.blobs());
  if (!input)
    return input.error();
  messages::submit_job m;
  m.ns = spec.ns;
  m.spec.queue = spec.queue;
  m.spec.graph = spec.graph;
  m.spec.input = std::move(*input);
  m.spec.labels = spec.labels;
  m.spec.max_parallel = spec.max_parallel;
  m.plan = std::move(*plan);
  if (spec.reuse)
    if (auto found = find_earlier(*spec.reuse, engine, m); !found)
      return found.error();
  return m;
}

} // namespace troupe::actors
