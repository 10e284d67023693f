#include "storage/snapshot_jobs.hpp"

#include "storage/snapshot_chunks.hpp"
#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::storage {

namespace {

table table_of(const job_row& x) { return terminal(x.state) ? table::done : table::live; }

core::bytes number(std::uint64_t x) {
  core::bytes value;
  core::writer{value}(x);
  return value;
}

status erase(table_writer& to, table from, const core::bytes& key) {
  auto gone = to.erase(from, key);
  return gone ? status{} : status{gone.error()};
}

/// Runs steps until one fails.
template <class... Steps>
status in_turn(Steps&&... steps) {
  status done;
  (void)((done = steps(), bool{done}) && ...);
  return done;
}

/// Writes the jobs of one shard's window.
class job_writer {
public:
  job_writer(table_writer& to, core::shard_id shard, const overlay& window)
      : to_(to), old_(to, shard), shard_(shard), window_(window) {}

  status run() {
    for (auto& [id, part] : window_.jobs())
      if (auto written = write(id, part); !written)
        return written;
    return in_turn([this] { return write_counts(); }, [this] { return write_graphs(); });
  }

private:
  struct graph_change {
    std::int64_t jobs = 0;
    core::shard_time first{};
  };
  struct count_change {
    std::int64_t jobs = 0, bytes = 0;
  };

  status write(job_id id, const overlay::part& part) {
    if (part.whole)
      return born(part);
    auto before = old_.row(id);
    if (!before)
      return before.error();
    if (!*before)
      return {}; // No such job: nothing can be told of it.
    auto after = **before;
    if (auto folded = window_.fold_beyond(part, 0, after); !folded)
      return folded;
    return changed(**before, after, part);
  }

  status born(const overlay::part& part) {
    auto& x = part.row;
    if (!x.spec.idempotency_key.empty())
      if (auto kept = write_request(x, true); !kept)
        return kept;
    if (x.deleted)
      return {};
    count(x, 1);
    use_graph(x, 1);
    return in_turn([&] { return to_.put(table_of(x), keys::job(shard_, x.id), encode(x)); },
                   [&] { return append_records(to_, shard_, x.id, 0, window_, part); },
                   [&] { return index_name(x); }, [&] { return index_state(x); },
                   [&] { return index_end(x); });
  }

  status changed(const job_row& before, const job_row& after, const overlay::part& part) {
    auto ended = terminal(after.state) && !terminal(before.state);
    if (ended && !after.spec.idempotency_key.empty())
      if (auto kept = write_request(after, false); !kept)
        return kept;
    count(before, -1);
    if (after.deleted)
      return remove(before);
    count(after, 1);
    auto key = keys::job(shard_, after.id);
    return in_turn(
        [&] { return ended ? erase(to_, table::live, key) : status{}; },
        [&] { return to_.put(table_of(after), key, encode(after)); },
        [&] { return append_records(to_, shard_, after.id, before.records, window_, part); },
        [&] { return before.state == after.state ? status{} : unindex_state(before); },
        [&] { return before.state == after.state ? status{} : index_state(after); },
        [&] { return index_end(after); });
  }

  status remove(const job_row& x) {
    use_graph(x, -1);
    return in_turn(
        [&] { return erase(to_, table_of(x), keys::job(shard_, x.id)); },
        [&] { return erase_records(to_, shard_, x.id); }, [&] { return unindex_name(x); },
        [&] { return unindex_state(x); },
        [&] { return terminal(x.state) ? erase(to_, table::by_end, end_key(x)) : status{}; });
  }

  core::bytes state_key(const job_row& x) const {
    return keys::with_id(keys::state(shard_, x.ns, x.state), x.id);
  }
  core::bytes queue_key(const job_row& x) const {
    return keys::with_id(keys::queue(shard_, {x.ns, x.spec.queue}), x.id);
  }
  core::bytes label_key(const job_row& x, const auto& label) const {
    return keys::with_id(keys::label(shard_, x.ns, label.first, label.second), x.id);
  }
  core::bytes end_key(const job_row& x) const {
    auto own = x.spec.retention != core::duration{};
    auto prefix = own ? keys::own_end(shard_) : keys::end(shard_, {x.ns, x.spec.queue}, x.state);
    auto time = own ? x.ended + x.spec.retention : x.ended;
    return keys::with_id(keys::with_time(std::move(prefix), time), x.id);
  }

  status index_state(const job_row& x) { return to_.put(table::by_state, state_key(x), {}); }
  status unindex_state(const job_row& x) { return erase(to_, table::by_state, state_key(x)); }

  status index_end(const job_row& x) {
    return terminal(x.state) ? to_.put(table::by_end, end_key(x), number(x.bytes)) : status{};
  }

  /// What never changes in the life of a job.
  status index_name(const job_row& x) {
    auto done = to_.put(table::by_queue, queue_key(x), {});
    for (auto at = x.spec.labels.begin(); done && at != x.spec.labels.end(); ++at)
      done = to_.put(table::by_label, label_key(x, *at), {});
    return done;
  }

  status unindex_name(const job_row& x) {
    auto done = erase(to_, table::by_queue, queue_key(x));
    for (auto at = x.spec.labels.begin(); done && at != x.spec.labels.end(); ++at)
      done = erase(to_, table::by_label, label_key(x, *at));
    return done;
  }

  /// The key of a job's request belongs to the newest job that was made for it.
  status write_request(const job_row& x, bool born) {
    keys::name_in name{{x.ns, x.spec.queue}, x.spec.idempotency_key};
    auto old = old_.request(name);
    if (!old)
      return old.error();
    if (*old && (*old)->id != x.id && (!born || later((*old)->id, x.id) != x.id))
      return {}; // An import may bring jobs in any order.
    request_row row{x.id, x.ended, x.spec.request_digest};
    auto expiry = [&](const request_row& of) {
      return keys::expiry(shard_, day_of(expires(of)), name);
    };
    return in_turn(
        [&] {
          auto was_over = *old && (*old)->ended != core::shard_time{};
          return was_over ? erase(to_, table::idempotency, expiry(**old)) : status{};
        },
        [&] { return to_.put(table::idempotency, keys::request(shard_, name), encode(row)); },
        [&] {
          auto over = row.ended != core::shard_time{};
          return over ? to_.put(table::idempotency, expiry(row), {}) : status{};
        });
  }

  void count(const job_row& x, std::int64_t by) {
    auto own = x.spec.retention != core::duration{};
    auto& change = counts_[{{x.ns, x.spec.queue}, x.state, own}];
    change.jobs += by;
    change.bytes += by * static_cast<std::int64_t>(x.bytes);
  }

  void use_graph(const job_row& x, std::int64_t by) {
    auto& change = graphs_[{x.ns, x.spec.graph}];
    if (by > 0 && (change.first == core::shard_time{} || x.created < change.first))
      change.first = x.created;
    change.jobs += by;
  }

  status write_counts() {
    for (auto& [of, change] : counts_) {
      auto count = old_.count(of);
      if (!count)
        return count.error();
      count->jobs += static_cast<std::uint64_t>(change.jobs);
      count->bytes += static_cast<std::uint64_t>(change.bytes);
      auto key = keys::total(shard_, of.in, of.state, of.own);
      auto done = count->jobs > 0 ? to_.put(table::totals, key, encode(*count))
                                  : erase(to_, table::totals, key);
      if (!done)
        return done;
    }
    return {};
  }

  status write_graphs() {
    for (auto& [of, change] : graphs_) {
      auto use = old_.graph(of.first, of.second);
      if (!use)
        return use.error();
      auto now = use->value_or(graph_use{change.first, 0});
      now.jobs += static_cast<std::uint64_t>(change.jobs);
      auto key = keys::graph(shard_, of.first, of.second);
      auto done =
          now.jobs > 0 ? to_.put(table::graphs, key, encode(now)) : erase(to_, table::graphs, key);
      if (!done)
        return done;
    }
    return {};
  }

  table_writer& to_;
  snapshot_read old_;
  core::shard_id shard_;
  const overlay& window_;
  std::map<count_key, count_change> counts_;
  std::map<std::pair<namespace_id, graph_id>, graph_change> graphs_;
};

} // namespace

std::uint32_t day_of(core::shard_time x) noexcept {
  auto days = std::chrono::floor<std::chrono::days>(x.time_since_epoch()).count();
  return static_cast<std::uint32_t>(std::max<std::int64_t>(days, 0));
}

status write_jobs(table_writer& to, core::shard_id shard, const overlay& window) {
  return job_writer{to, shard, window}.run();
}

} // namespace troupe::storage
