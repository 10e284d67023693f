#include "actors/job_blobs.hpp"

#include "core/output_release.hpp"

namespace troupe::actors {

namespace {

status load(core::payload& x, namespace_id ns, const environment& env) {
  if (x.loaded())
    return {};
  auto raw = env.get_blob(ns, *x.blob());
  if (!raw)
    return raw.error();
  core::reader in{*raw};
  auto read = core::decode_value(in);
  if (!in.ok)
    return error{ec::journal_corrupt, "a blob does not hold a value"};
  x = core::payload{*x.blob(), std::make_shared<const value>(std::move(read))};
  return {};
}

status load_some(core::job& x, const environment& env, auto is_wanted) {
  if (auto done = load_input(x, env); !done || !x.run)
    return done;
  auto& outputs = x.run->outputs;
  for (core::vertex_index v = 0; v < outputs.size(); ++v)
    if (!outputs[v].loaded() && is_wanted(v))
      if (auto done = load(outputs[v], x.ns, env); !done)
        return done;
  return {};
}

} // namespace

status load_input(core::job& x, const environment& env) { return load(x.spec.input, x.ns, env); }

status load_blobs(core::job& x, const environment& env) {
  return load_some(x, env, [](core::vertex_index) { return true; });
}

status load_needed(core::job& x, const environment& env) {
  if (terminal(x.state))
    return {};
  return load_some(x, env, [&](core::vertex_index v) { return core::is_read_again(x, v); });
}

status load_result(core::job& x, const environment& env) {
  if (!x.run || x.state != job_state::completed)
    return {};
  for (auto v : x.plan->result)
    if (auto done = load(x.run->outputs[v], x.ns, env); !done)
      return done;
  return {};
}

} // namespace troupe::actors
