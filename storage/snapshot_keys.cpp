#include "storage/snapshot_keys.hpp"

#include "storage/sha256.hpp"

#include <algorithm>
#include <cassert>

namespace troupe::storage::keys {

namespace {

constexpr char outbox_family = 'o', peer_family = 'p';
constexpr char request_family = 'k', expiry_family = 'x';
constexpr char queue_end_family = 'q', own_end_family = 'r';
constexpr char shard_family = 's', segment_family = 'j';
constexpr std::size_t label_value_bytes = 200, label_head_bytes = 168; ///< Then a digest.

void text(bytes& to, const std::string& x) { to.insert(to.end(), x.begin(), x.end()); }

/// Ended, so that no name is the start of another.
void name(bytes& to, const std::string& x) {
  text(to, x);
  to.push_back(0);
}

template <class... Ts>
bytes key_of(const Ts&... xs) {
  bytes key;
  key.reserve(64);
  core::writer{key}(xs...);
  return key;
}

} // namespace

bytes shard(shard_id x) { return key_of(x); }
bytes job(shard_id x, job_id id) { return key_of(x, id); }
bytes chunk(shard_id x, job_id id, std::uint64_t first) { return key_of(x, id, first); }
bytes graph(shard_id x, namespace_id ns, const graph_id& id) { return key_of(x, ns, id); }

bytes state(shard_id x, namespace_id ns, core::job_state state) { return key_of(x, ns, state); }

bytes queue(shard_id x, const scope& in) {
  auto key = key_of(x, in.ns);
  name(key, in.queue);
  return key;
}

bytes label(shard_id x, namespace_id ns, const std::string& label, const std::string& value) {
  auto key = key_of(x, ns);
  name(key, label);
  if (value.size() <= label_value_bytes) {
    text(key, value);
  } else {
    text(key, value.substr(0, label_head_bytes));
    auto digest = sha256({reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
    key.insert(key.end(), digest.begin(), digest.end());
  }
  key.push_back(0);
  return key;
}

bytes with_id(bytes prefix, job_id id) {
  core::writer{prefix}(id);
  return prefix;
}

job_id id_in(byte_view key) {
  assert(key.size() >= id_bytes);
  core::reader in{key.last(id_bytes)};
  job_id id;
  in(id);
  return id;
}

bytes end(shard_id x, const scope& in, core::job_state state) {
  auto key = key_of(x, queue_end_family, in.ns);
  name(key, in.queue);
  core::writer{key}(state);
  return key;
}

bytes own_end(shard_id x) { return key_of(x, own_end_family); }

bytes with_time(bytes prefix, shard_time at) {
  core::writer{prefix}(std::max(at, shard_time{}));
  return prefix;
}

shard_time time_in(byte_view key) {
  assert(key.size() >= id_bytes + sizeof(std::int64_t));
  core::reader in{key.last(id_bytes + sizeof(std::int64_t))};
  shard_time at;
  in(at);
  return at;
}

bytes outboxes(shard_id x) { return key_of(x, outbox_family); }
bytes outbox(shard_id x, shard_id to) { return key_of(x, outbox_family, to); }
bytes outbox(shard_id x, shard_id to, std::uint64_t sequence) {
  return key_of(x, outbox_family, to, sequence);
}
bytes peers(shard_id x) { return key_of(x, peer_family); }
bytes peer(shard_id x, shard_id other) { return key_of(x, peer_family, other); }

bytes request(shard_id x, const name_in& at) {
  auto key = key_of(x, request_family, at.in.ns);
  name(key, at.in.queue);
  text(key, at.key);
  return key;
}

bytes expiries(shard_id x) { return key_of(x, expiry_family); }

bytes expiry(shard_id x, std::uint32_t day, const name_in& at) {
  auto key = key_of(x, expiry_family, day, at.in.ns);
  name(key, at.in.queue);
  text(key, at.key);
  return key;
}

bytes request_of_expiry(byte_view expiry) {
  constexpr auto family_at = sizeof(shard_id), name_at = family_at + 1 + sizeof(std::uint32_t);
  assert(expiry.size() > name_at);
  bytes key(expiry.begin(), expiry.begin() + family_at);
  key.push_back(request_family);
  key.insert(key.end(), expiry.begin() + name_at, expiry.end());
  return key;
}

bytes rows(shard_id x, const scope& in) { return queue(x, in); }

bytes row(shard_id x, const name_in& at) {
  auto key = rows(x, at.in);
  text(key, at.key);
  return key;
}

bytes total(shard_id x, const scope& in, core::job_state state, bool own) {
  auto key = queue(x, in);
  core::writer{key}(state, own);
  return key;
}

bytes meta(shard_id x) { return key_of(shard_family, x); }
bytes newest_segment() { return key_of(segment_family); }

bool starts_with(byte_view key, byte_view prefix) {
  return key.size() >= prefix.size() && std::ranges::equal(key.first(prefix.size()), prefix);
}

bytes above(bytes prefix) {
  while (!prefix.empty() && prefix.back() == 0xff)
    prefix.pop_back();
  assert(!prefix.empty());
  ++prefix.back();
  return prefix;
}

} // namespace troupe::storage::keys
