#pragma once

#include "storage/snapshot.hpp"
#include "storage/view.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

#include <random>
#include <set>

namespace troupe::test {

using storage::job_row;

/// What one shard should tell: plain maps, written with no index and no snapshot.
struct shard_model {
  std::map<job_id, job_row> rows; ///< Deleted ones included.
  std::map<job_id, core::record_group> records;
  std::map<storage::keys::name_in, core::bytes> own_rows;
  std::map<storage::keys::name_in, job_id> requests;
  core::link_state links;
  std::vector<storage::batch> batches;
  core::shard_time now{std::chrono::hours{24 * 365 * 50}};

  void take(const core::record& r) {
    core::bytes raw;
    core::encode(r, raw);
    if (r.job != job_id{}) {
      fold(rows[r.job], r, raw.size());
      records[r.job].push_back(r);
    }
    core::apply(links, r);
    if (auto added = std::get_if<core::job_added>(&r.body);
        added && !added->idempotency_key.empty())
      requests[{{r.ns, added->queue}, added->idempotency_key}] = r.job;
    if (auto written = std::get_if<core::row_written>(&r.body))
      own_rows[{{r.ns, written->queue}, written->key}] = written->content;
    if (auto erased = std::get_if<core::row_erased>(&r.body))
      own_rows.erase({{r.ns, erased->queue}, erased->key});
  }

  std::vector<job_row> there() const {
    std::vector<job_row> all;
    for (auto& [id, row] : rows)
      if (row.there())
        all.push_back(row);
    return all;
  }
};

/// Makes batches of one shard that could come from a node.
class random_shard {
public:
  random_shard(std::uint64_t seed, core::shard_id id) : random_(seed), id_(id) {}

  storage::batch next(shard_model& to) {
    to.now += core::duration{random_() % (random_() % 10 == 0 ? 200'000'000 : 5000)};
    storage::batch x{id_, core::epoch{7}, to.batches.size() + 1, to.now, {}};
    for (auto left = 1 + random_() % 12; left > 0; --left)
      for (auto& r : group(to)) {
        core::encode(r, x.records);
        to.take(r);
      }
    to.batches.push_back(x);
    return x;
  }

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

private:
  std::string one_of(std::initializer_list<const char*> all) {
    return *(all.begin() + random_() % all.size());
  }

  core::record_group group(shard_model& x) {
    switch (random_() % 12) {
    case 0:
    case 1:
    case 2: return {added(x)};
    case 3: return row(x);
    case 4: return message(x);
    default: return step(x);
    }
  }

  core::payload any_payload() {
    if (random_() % 3 != 0)
      return core::payload{value{std::int64_t(random_() % 1000)}};
    core::blob_ref blob;
    blob.sha256[0] = static_cast<std::uint8_t>(random_() % 50);
    return core::payload{blob};
  }

  core::record added(shard_model& x) {
    core::job_added spec;
    spec.queue = one_of({"a", "ab", "default"});
    spec.graph.sha256[5] = static_cast<std::uint8_t>(random_() % 5);
    spec.input = any_payload();
    if (random_() % 3 == 0)
      spec.labels["team"] = one_of({"x", "y", ""});
    if (random_() % 10 == 0)
      spec.labels["long"] = std::string(300, 'l') + one_of({"1", "2"});
    auto ns = namespace_id(random_() % 2);
    auto key = "key" + std::to_string(random_() % 8);
    if (random_() % 3 == 0 && free(x, {{ns, spec.queue}, key})) {
      spec.idempotency_key = key;
      spec.request_digest = {std::uint8_t(random_()), 2, 3};
    }
    if (random_() % 6 == 0)
      spec.retention = std::chrono::hours{1 + random_() % 50};
    auto ms = static_cast<std::uint64_t>(x.now.time_since_epoch().count());
    job_id id{ms << 16 | 0x7000 | (random_() % 4), 1ull << 63 | ++counter_ << 40};
    return {ns, id_, id, x.now, spec};
  }

  static bool free(const shard_model& x, const storage::keys::name_in& name) {
    auto found = x.requests.find(name);
    if (found == x.requests.end())
      return true;
    auto& row = x.rows.at(found->second);
    return terminal(row.state) && row.ended + limits::idempotency_keep <= x.now;
  }

  core::record_group row(shard_model& x) {
    auto ns = namespace_id(random_() % 2);
    std::string queue = one_of({"a", "ab"}), key = one_of({"k", "k1", "k2", "l", "m"});
    if (random_() % 3 == 0)
      return {{ns, id_, {}, x.now, core::row_erased{queue, key}}};
    return {{ns, id_, {}, x.now, core::row_written{queue, key, core::bytes(random_() % 9, 5)}}};
  }

  core::record_group message(shard_model& x) {
    auto peer = core::shard_id(random_() % 3);
    auto& link = x.links.peers[peer];
    if (random_() % 3 == 0)
      return {{{}, id_, {}, x.now, core::message_received{peer, link.received + 1}}};
    if (random_() % 2 == 0 && !link.unacknowledged.empty())
      return {{{},
               id_,
               {},
               x.now,
               core::message_acknowledged{peer, link.unacknowledged.front().sequence}}};
    core::child_requested body;
    body.ns = namespace_id(random_() % 2);
    body.input = any_payload();
    body.graph.sha256[0] = static_cast<std::uint8_t>(1 + random_() % 3);
    return {{body.ns,
             id_,
             {},
             x.now,
             core::message_sent{peer, link.sent + 1, core::encode_message(body)}}};
  }

  /// One more record of some job, mostly of a young one.
  core::record_group step(shard_model& x) {
    if (x.rows.empty())
      return {};
    auto back =
        std::min<std::uint64_t>(random_() % (random_() % 4 == 0 ? 500 : 12), x.rows.size() - 1);
    auto& row = std::prev(x.rows.end(), static_cast<std::ptrdiff_t>(back + 1))->second;
    if (row.deleted)
      return {};
    core::record r{row.ns, id_, row.id, x.now, core::job_passivated{x.now}};
    if (terminal(row.state))
      r.body = core::job_deleted{"purge"};
    else if (random_() % 4 == 0)
      r.body = core::stream_appended{0, 1, 0, {}, std::string(random_() % 3000, 's'), false};
    else if (random_() % 4 == 0)
      r.body = core::vertices_ended{{{0, {}, {}, {}, any_payload(), {}, {}}}};
    else if (random_() % 5 != 0)
      r.body = moved(row);
    return {r};
  }

  core::job_moved moved(const job_row& row) {
    for (;;) {
      auto& next = core::job_transitions[random_() % std::size(core::job_transitions)];
      if (next.from == row.state)
        return {next.from, next.to, "", {next.to == core::job_state::failed ? "why" : "", "", ""}};
    }
  }

  std::mt19937_64 random_;
  core::shard_id id_;
  std::uint64_t counter_ = 0;
};

} // namespace troupe::test
