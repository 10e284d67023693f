#include "actors/spec_check.hpp"

#include "actors/job_blobs.hpp"
#include "actors/job_book.hpp"
#include "core/decide_reuse.hpp"
#include "core/names.hpp"
#include "core/utf8.hpp"
#include "core/wire.hpp"
#include "storage/sha256.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

constexpr auto name_rule = "1 to 128 of A-Z a-z 0-9 _ . : -";

/// What tells how long a request or a job is remembered.
status check_kept(const job_spec& spec) {
  auto prints = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  auto& key = spec.idempotency_key;
  if (key.size() > limits::idempotency_key_bytes_max || !std::ranges::all_of(key, prints))
    return error{ec::invalid_spec, "idempotency_key: 1 to "
                                       + std::to_string(limits::idempotency_key_bytes_max)
                                       + " printable characters of ASCII, no spaces"};
  if (spec.request_digest.size() > limits::request_digest_bytes_max)
    return error{ec::invalid_spec, "request_digest: at most "
                                       + std::to_string(limits::request_digest_bytes_max)
                                       + " bytes"};
  if (spec.retention
      && (*spec.retention <= core::duration{} || *spec.retention > limits::duration_max))
    return error{ec::invalid_spec, "retention: it must be more than 0 and at most 100 years"};
  return {};
}

status check_expiry(const job_spec& spec) {
  auto& after = spec.expires_after;
  if (after && (*after <= core::duration{} || *after > limits::duration_max))
    return error{ec::invalid_spec, "expires_after: it must be more than 0 and at most 100 years"};
  if (spec.expires_at && *spec.expires_at <= core::shard_time{})
    return error{ec::invalid_spec, "expires_at: it must be after the beginning of 1970"};
  return {};
}

status check_key(const std::string& at, const std::string& key) {
  if (!key.empty() && key.size() <= limits::row_key_bytes_max)
    return {};
  return error{ec::invalid_spec, at + ": its key has " + std::to_string(key.size())
                                     + " bytes, allowed are 1 to "
                                     + std::to_string(limits::row_key_bytes_max)};
}

status check_parts(const transaction& x) {
  if (!core::is_name(x.queue))
    return error{ec::invalid_spec, "queue: " + core::quoted(x.queue) + " is no name: " + name_rule};
  auto most = std::max({x.conditions.size(), x.rows.size(), x.jobs.size()});
  if (most > limits::transaction_parts_max)
    return error{ec::too_large, "a transaction has " + std::to_string(most)
                                    + " rows, conditions or jobs, allowed are "
                                    + std::to_string(limits::transaction_parts_max) + " of each"};
  for (std::size_t i = 0; i < x.conditions.size(); ++i)
    if (auto good = check_key("conditions/" + std::to_string(i), x.conditions[i].key); !good)
      return good;
  for (std::size_t i = 0; i < x.rows.size(); ++i) {
    auto at = "rows/" + std::to_string(i);
    if (auto good = check_key(at, x.rows[i].key); !good)
      return good;
    if (x.rows[i].content && x.rows[i].content->size() > limits::row_bytes_max)
      return error{ec::too_large,
                   at + ": its content has " + std::to_string(x.rows[i].content->size())
                       + " bytes, allowed are " + std::to_string(limits::row_bytes_max)};
  }
  return {};
}

status check_names(const job_spec& spec) {
  if (!core::is_name(spec.queue))
    return error{ec::invalid_spec,
                 "queue: " + core::quoted(spec.queue) + " is no name: " + name_rule};
  if (spec.labels.size() > limits::labels_max)
    return error{ec::invalid_spec, "labels: " + std::to_string(spec.labels.size())
                                       + " of them, allowed are "
                                       + std::to_string(limits::labels_max)};
  for (auto& [key, x] : spec.labels)
    if (!core::is_name(key) || x.size() > limits::label_bytes_max
        || core::find_bad_utf8(x) != x.npos)
      return error{ec::invalid_spec, "labels: " + core::quoted(key) + " is no name (" + name_rule
                                         + "), or its value has more than "
                                         + std::to_string(limits::label_bytes_max)
                                         + " bytes or is not UTF-8"};
  if (auto good = check_kept(spec); !good)
    return good;
  return check_expiry(spec);
}

/// What holds blobs until the record that names them is durable.
using held_blobs = std::vector<storage::blob_pin>;

/// The value in a blob of its own.
result<core::payload> in_blob(const value& x, namespace_id ns, engine& engine, held_blobs& held) {
  core::bytes raw;
  core::encode(x, raw);
  auto stored = keep_new(
      engine.blobs(), [&] { return engine.check_space(); }, ns, raw, limits::value_bytes_max);
  if (!stored)
    return stored.error();
  core::payload made{core::blob_ref{stored->name(), raw.size()}, std::make_shared<const value>(x)};
  held.push_back(std::move(*stored));
  return made;
}

result<core::payload> input_of(const job_spec& spec, engine& engine, held_blobs& held) {
  if (auto wrong = core::unkeepable(spec.input))
    return error{ec::invalid_spec, "input: " + wrong->detail};
  auto size = core::encoded_size(spec.input);
  if (size <= limits::record_value_bytes_max)
    return core::payload{spec.input};
  if (size > limits::value_bytes_max)
    return error{ec::too_large, "input: " + std::to_string(size) + " bytes, allowed are "
                                    + std::to_string(limits::value_bytes_max)};
  return in_blob(spec.input, spec.ns, engine, held);
}

/// Outputs that would not fit into the record which takes them over go into blobs.
status move_bulky(core::job& earlier, core::vertex_index from, engine& engine, held_blobs& held) {
  for (auto v : core::bulky_outputs(earlier, from)) {
    auto moved = in_blob(earlier.run->outputs[v].get(), earlier.ns, engine, held);
    if (!moved)
      return moved.error();
    earlier.run->outputs[v] = std::move(*moved);
  }
  return {};
}

status name_first(const std::string& vertex, messages::submit_job& to) {
  auto& names = to.plan->names;
  auto at = std::find(names.begin(), names.end(), vertex);
  to.from = vertex.empty() ? core::no_index : static_cast<core::vertex_index>(at - names.begin());
  if (!vertex.empty() && at == names.end())
    return error{ec::no_such_vertex, "the graph has no vertex " + core::quoted(vertex)};
  return {};
}

/// The job whose results are reused, as it stands. Its values are held: it may be deleted.
status find_earlier(const reuse_spec& reuse, engine& engine, messages::submit_job& to,
                    held_blobs& held) {
  auto& shard = engine.shard(reuse.job);
  auto row = shard.view->find(reuse.job);
  if (!row)
    return row.error();
  if (row->ns != to.ns)
    return error{ec::no_such_job, "job " + to_string(reuse.job) + " is of another namespace"};
  for (auto& blob : row->blobs) {
    auto pin = engine.blobs().pin(row->ns, blob);
    if (!pin)
      return pin.error();
    held.push_back(std::move(*pin));
  }
  auto earlier = shard.view->load(reuse.job, shard.graph_source());
  if (!earlier)
    return earlier.error();
  if (auto loaded = load_blobs(*earlier, engine.env()); !loaded)
    return loaded;
  to.spec.retry_of = reuse.job;
  if (reuse.vertex.empty() && !earlier->run)
    return {}; // It never began: there is nothing to reuse.
  if (auto named = name_first(reuse.vertex, to); !named)
    return named;
  if (auto moved = move_bulky(*earlier, to.from, engine, held); !moved)
    return moved;
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
  auto held = std::make_shared<held_blobs>();
  auto input = input_of(spec, engine, *held);
  if (!input)
    return input.error();
  messages::submit_job m;
  m.ns = spec.ns;
  m.spec.idempotency_key = spec.idempotency_key;
  if (!spec.idempotency_key.empty())
    m.spec.request_digest = spec.request_digest.empty() ? digest_of(spec)
                                                        : core::bytes(spec.request_digest.begin(),
                                                                      spec.request_digest.end());
  m.spec.retention = spec.retention.value_or(core::duration{});
  m.spec.expires_at = spec.expires_at.value_or(core::shard_time{});
  m.expires_after = spec.expires_after.value_or(core::duration{});
  m.spec.queue = spec.queue;
  m.spec.graph = spec.graph;
  m.spec.input = std::move(*input);
  m.spec.labels = spec.labels;
  m.spec.max_parallel = spec.max_parallel;
  m.plan = std::move(*plan);
  if (spec.reuse && (spec.expires_at || spec.expires_after))
    return error{ec::invalid_spec, "a job that reuses results begins at once; it cannot expire"};
  if (spec.reuse)
    if (auto found = find_earlier(*spec.reuse, engine, m, *held); !found)
      return found.error();
  if (!held->empty())
    m.held = std::move(held);
  return m;
}

core::bytes digest_of(const job_spec& spec) {
  core::bytes all;
  core::writer out{all};
  out(spec.ns, spec.queue, spec.graph, spec.max_parallel);
  out(spec.retention.value_or(core::duration{-1}), spec.reuse.has_value());
  if (spec.reuse)
    out(spec.reuse->job, spec.reuse->vertex);
  out(static_cast<std::uint32_t>(spec.labels.size()));
  for (auto& [key, x] : spec.labels)
    out(key, x);
  core::encode(spec.input, all);
  if (spec.expires_at || spec.expires_after) // Without them the digest is what it was before them.
    out(spec.expires_at.value_or(core::shard_time{}),
        spec.expires_after.value_or(core::duration{}));
  auto digest = storage::sha256(all);
  return {digest.begin(), digest.end()};
}

result<messages::write_rows> checked(const transaction& x, engine& engine) {
  if (auto good = check_parts(x); !good)
    return good.error();
  messages::write_rows m;
  m.ns = x.ns;
  m.queue = x.queue;
  m.conditions = x.conditions;
  m.rows = x.rows;
  for (std::size_t i = 0; i < x.jobs.size(); ++i) {
    auto at = "jobs/" + std::to_string(i) + ": ";
    if (x.jobs[i].ns != x.ns || x.jobs[i].queue != x.queue)
      return error{ec::invalid_spec,
                   at + "a transaction takes jobs of its own namespace and queue"};
    if (x.jobs[i].reuse && x.jobs.size() > 1)
      return error{ec::invalid_spec,
                   at + "a job that reuses results must be the only one of its transaction"};
    auto job = checked(x.jobs[i], engine);
    if (!job)
      return error{job.code(), at + job.error().detail};
    m.jobs.push_back(std::move(*job));
  }
  return m;
}

} // namespace troupe::actors
