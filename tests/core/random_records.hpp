#pragma once

#include "tests/core/random_values.hpp"

#include <utility>

namespace troupe::tests {

/// Makes records of every type with fields of every shape.
class random_records {
public:
  explicit random_records(std::uint64_t seed) : make_(seed) {}

  core::record any() {
    core::record r;
    r.ns = namespace_id(make_.sized());
    r.shard = core::shard_id(make_.sized());
    r.job = any_id();
    r.at = any_time();
    constexpr auto types = std::variant_size_v<core::record_body>;
    emplace(make_.below(types), r.body, std::make_index_sequence<types>());
    return r;
  }

private:
  template <std::size_t... I>
  void emplace(std::size_t type, core::record_body& body, std::index_sequence<I...>) {
    ((type == I && (fill(body.emplace<I>()), true)) || ...);
  }

  job_id any_id() { return {make_.bits(), make_.bits()}; }
  core::token any_token() { return {make_.bits(), make_.bits()}; }
  std::uint32_t any_u32() { return static_cast<std::uint32_t>(make_.sized()); }
  core::shard_time any_time() {
    return core::shard_time{core::duration{static_cast<core::duration::rep>(make_.sized())}};
  }
  core::bytes any_bytes() {
    auto text = make_.text(50);
    return {text.begin(), text.end()};
  }
  problem any_problem() {
    return make_.coin() ? problem{} : problem{make_.text(), make_.text(), make_.text()};
  }

  core::vertex_outcome any_outcome() {
    core::vertex_outcome x;
    x.vertex = any_u32();
    x.outcome = core::attempt_end(make_.below(4));
    x.took = core::duration{static_cast<core::duration::rep>(make_.sized())};
    if (make_.coin())
      x.retry_at = any_time();
    if (make_.coin())
      x.output = make_.any_payload();
    x.error = any_problem();
    for (auto left = make_.below(4); left > 0; --left)
      x.untaken.push_back(any_u32());
    return x;
  }
  std::vector<core::vertex_outcome> any_outcomes() {
    std::vector<core::vertex_outcome> all(make_.below(4));
    for (auto& x : all)
      x = any_outcome();
    return all;
  }

  void fill(core::feature_level_raised& x) { x.level = any_u32(); }
  void fill(core::job_added& x) {
    x.queue = make_.text();
    for (auto& byte : x.graph.sha256)
      byte = static_cast<std::uint8_t>(make_.bits());
    x.input = make_.any_payload();
    for (auto left = make_.below(4); left > 0; --left)
      x.labels.emplace(make_.text(), make_.text());
    x.max_parallel = any_u32();
    x.retry_of = any_id();
    x.parent = any_id();
    x.parent_vertex = any_u32();
    x.parent_proof = any_token();
    if (make_.coin()) {
      x.idempotency_key = make_.text();
      x.request_digest = any_bytes();
    }
    if (make_.coin())
      x.retention = core::duration{static_cast<core::duration::rep>(make_.sized())};
    if (make_.coin())
      x.expires_at = any_time();
  }
  void fill(core::job_moved& x) {
    x.from = job_state(make_.below(9));
    x.to = job_state(make_.below(9));
    x.reason = make_.text();
    x.error = any_problem();
  }
  void fill(core::attempt_leased& x) {
    x = {any_u32(), any_u32(), any_token(), core::duration{any_u32()}, make_.text()};
  }
  void fill(core::attempt_started& x) { x = {any_u32(), any_u32(), any_token(), any_time()}; }
  void fill(core::attempt_ended& x) { x = {any_token(), any_outcome()}; }
  void fill(core::vertices_ended& x) { x.ends = any_outcomes(); }
  void fill(core::attempt_lost& x) { x = {any_u32(), any_token(), make_.coin()}; }
  void fill(core::vertices_reused& x) { x.ends = any_outcomes(); }
  void fill(core::stream_appended& x) {
    x = {any_u32(),       any_u32(),   make_.sized(), core::stream_kind(make_.below(3)),
         make_.text(100), make_.coin()};
  }
  void fill(core::message_sent& x) {
    x = {core::shard_id(make_.sized()), make_.sized(), any_bytes()};
  }
  void fill(core::message_received& x) { x = {core::shard_id(make_.sized()), make_.sized()}; }
  void fill(core::message_acknowledged& x) { x = {core::shard_id(make_.sized()), make_.sized()}; }
  void fill(core::job_deleted& x) { x.reason = make_.text(); }
  void fill(core::job_passivated& x) { x.wake_at = any_time(); }
  void fill(core::row_written& x) { x = {make_.text(), make_.text(), any_bytes()}; }
  void fill(core::message_added& x) { x.text = make_.text(100); }
  void fill(core::row_erased& x) { x = {make_.text(), make_.text()}; }

  random_values make_;
};

} // namespace troupe::tests
