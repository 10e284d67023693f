#include "storage/job_row.hpp"

#include "core/links.hpp"
#include "core/wire.hpp"

#include <algorithm>

namespace troupe::storage {

namespace {

constexpr std::uint8_t row_version = 1;

bool leads(core::job_state from, core::job_state to) {
  return std::ranges::any_of(core::job_transitions,
                             [=](auto& row) { return row.from == from && row.to == to; });
}

void take_move(job_row& x, const core::job_moved& moved, core::shard_time at) {
  if (x.state != moved.from || !leads(moved.from, moved.to))
    return;
  x.state = moved.to;
  if (moved.to == core::job_state::running && x.started == core::shard_time{})
    x.started = at;
  if (moved.to == core::job_state::failed)
    x.error = moved.error;
  if (terminal(moved.to))
    x.ended = at;
}

void take_blob(job_row& x, const core::blob_ref& blob) {
  auto at = std::ranges::lower_bound(x.blobs, blob.sha256);
  if (at == x.blobs.end() || *at != blob.sha256)
    x.blobs.insert(at, blob.sha256);
}

/// Hands on the blobs of one record's payloads.
struct blob_finder {
  const std::function<void(const core::blob_ref&)>& each;

  void operator()(const core::payload& x) const {
    if (auto blob = x.blob())
      each(*blob);
  }
  void operator()(const core::job_added& x) const { (*this)(x.input); }
  void operator()(const core::attempt_ended& x) const { (*this)(x.end.output); }
  void operator()(const core::vertices_ended& x) const { outputs(x.ends); }
  void operator()(const core::vertices_reused& x) const { outputs(x.ends); }
  void operator()(const core::message_sent& x) const {
    if (auto message = core::decode_message(x.body))
      std::visit(*this, *message);
  }
  void operator()(const core::child_requested& x) const { (*this)(x.input); }
  void operator()(const core::child_ended& x) const { (*this)(x.output); }
  void operator()(const auto&) const {}

private:
  void outputs(const std::vector<core::vertex_outcome>& ends) const {
    for (auto& x : ends)
      (*this)(x.output);
  }
};

enum row_bits : std::uint8_t {
  has_labels = 1,
  has_parallel = 2,
  has_origin = 4, ///< `retry_of` or a parent.
  has_key = 8,
  has_times = 16, ///< Retention or expiry.
  has_error = 32,
  has_wake = 64,
  has_blobs = 128
};

bool has_origin_of(const core::job_added& x) {
  return x.retry_of != job_id{} || x.parent != job_id{} || x.parent_vertex != 0
         || x.parent_proof != core::token{};
}

std::uint8_t bits_of(const job_row& x) {
  auto& spec = x.spec;
  std::uint8_t bits = spec.labels.empty() ? 0 : has_labels;
  bits |= spec.max_parallel != 0 ? has_parallel : 0;
  bits |= has_origin_of(spec) ? has_origin : 0;
  bits |= !spec.idempotency_key.empty() || !spec.request_digest.empty() ? has_key : 0;
  bits |=
      spec.retention != core::duration{} || spec.expires_at != core::shard_time{} ? has_times : 0;
  bits |= x.error != problem{} ? has_error : 0;
  bits |= x.wake_at != core::shard_time{} ? has_wake : 0;
  bits |= !x.blobs.empty() ? has_blobs : 0;
  return bits;
}

/// A time as what has passed since the job was created; 0 is none.
std::uint64_t since(const job_row& x, core::shard_time at) {
  return at == core::shard_time{} ? 0 : static_cast<std::uint64_t>((at - x.created).count()) + 1;
}

core::shard_time after(const job_row& x, std::uint64_t since) {
  return since == 0 ? core::shard_time{}
                    : x.created + core::duration{static_cast<core::duration::rep>(since - 1)};
}

void write_seldom(core::writer& out, const job_row& x, std::uint8_t bits) {
  auto& spec = x.spec;
  if (bits & has_labels) {
    out.put_varint(spec.labels.size());
    for (auto& [key, label] : spec.labels)
      out(key, label);
  }
  if (bits & has_parallel)
    out(spec.max_parallel);
  if (bits & has_origin)
    out(spec.retry_of, spec.parent, spec.parent_vertex, spec.parent_proof);
  if (bits & has_key)
    out(spec.idempotency_key, std::string(spec.request_digest.begin(), spec.request_digest.end()));
  if (bits & has_times)
    out(spec.retention, spec.expires_at);
  if (bits & has_error)
    out(x.error);
  if (bits & has_wake)
    out(x.wake_at);
  if (bits & has_blobs) {
    out.put_varint(x.blobs.size());
    for (auto& blob : x.blobs)
      out(graph_id{blob});
  }
}

void read_labels(core::reader& in, std::map<std::string, std::string>& labels) {
  for (auto left = in.get_varint(); left > 0 && in.ok; --left) {
    std::string key, label;
    in(key, label);
    labels.emplace_hint(labels.end(), std::move(key), std::move(label));
  }
}

void read_seldom(core::reader& in, job_row& x, std::uint8_t bits) {
  auto& spec = x.spec;
  if (bits & has_labels)
    read_labels(in, spec.labels);
  if (bits & has_parallel)
    in(spec.max_parallel);
  if (bits & has_origin)
    in(spec.retry_of, spec.parent, spec.parent_vertex, spec.parent_proof);
  if (bits & has_key) {
    std::string digest;
    in(spec.idempotency_key, digest);
    spec.request_digest.assign(digest.begin(), digest.end());
  }
  if (bits & has_times)
    in(spec.retention, spec.expires_at);
  if (bits & has_error)
    in(x.error);
  if (bits & has_wake)
    in(x.wake_at);
  if (bits & has_blobs)
    for (auto left = in.get_varint(); left > 0 && in.ok; --left) {
      graph_id blob;
      in(blob);
      x.blobs.push_back(blob.sha256);
    }
}

} // namespace

void each_blob(const core::record& r, const std::function<void(const core::blob_ref&)>& each) {
  std::visit(blob_finder{each}, r.body);
}

void fold(job_row& x, const core::record& r, std::size_t bytes) {
  if (x.records == 0) {
    auto added = std::get_if<core::job_added>(&r.body);
    if (!added)
      return;
    x = {};
    x.id = r.job;
    x.ns = r.ns;
    x.created = r.at;
    x.spec = *added;
    x.spec.input = {};
  }
  ++x.records;
  x.bytes += bytes;
  each_blob(r, [&x](const core::blob_ref& blob) { take_blob(x, blob); });
  x.wake_at = {};
  if (auto moved = std::get_if<core::job_moved>(&r.body))
    take_move(x, *moved, r.at);
  else if (auto passive = std::get_if<core::job_passivated>(&r.body))
    x.wake_at = passive->wake_at;
  else if (std::holds_alternative<core::job_deleted>(r.body))
    x.deleted = true;
}

core::bytes encode(const job_row& x) {
  core::bytes out;
  out.reserve(96);
  core::writer w{out};
  auto bits = bits_of(x);
  w(row_version, bits, x.state, x.ns, x.created);
  w.put_varint(since(x, x.started));
  w.put_varint(since(x, x.ended));
  w.put_varint(x.records);
  w.put_varint(x.bytes);
  w(x.spec.queue, x.spec.graph);
  write_seldom(w, x, bits);
  return out;
}

result<job_row> decode_job_row(job_id id, core::byte_view data) {
  core::reader in{data};
  job_row x;
  x.id = id;
  std::uint8_t version = 0, bits = 0;
  in(version);
  if (in.ok && version != row_version)
    return error{ec::newer_format, "the row of job " + to_string(id) + " has version "
                                       + std::to_string(version)
                                       + "; start the version that wrote it"};
  in(bits, x.state, x.ns, x.created);
  x.started = after(x, in.get_varint());
  x.ended = after(x, in.get_varint());
  x.records = in.get_varint();
  x.bytes = in.get_varint();
  in(x.spec.queue, x.spec.graph);
  read_seldom(in, x, bits);
  if (!in.ok || !in.in.empty())
    return error{ec::journal_corrupt,
                 "the row of job " + to_string(id) + " cannot be read; run `troupe verify`"};
  return x;
}

} // namespace troupe::storage
