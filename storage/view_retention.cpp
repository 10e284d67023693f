#include "storage/view_reading.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <array>
#include <deque>

namespace troupe::storage {

namespace {

count_key count_of(const job_row& x) {
  return {{x.ns, x.spec.queue}, x.state, x.spec.retention != core::duration{}};
}

bool counts(const count_key& of, const job_row& x) {
  return of.state == x.state && of.in.ns == x.ns && of.own == (x.spec.retention != core::duration{})
         && of.in.queue == x.spec.queue;
}

using count_map = std::map<count_key, job_count>;

/// Brings counts up to date. Successive jobs are mostly of one queue, in few states: the entry of
/// each state that was used last is tried first.
class count_changes {
public:
  explicit count_changes(count_map& all) : all_(&all) { last_.fill(all.end()); }

  void add(const job_row& x, bool more) {
    auto& at = last_[static_cast<std::size_t>(x.state)];
    if (at == all_->end() || !counts(at->first, x))
      at = all_->try_emplace(count_of(x)).first;
    at->second.jobs += more ? 1 : std::uint64_t(-1);
    at->second.bytes += more ? x.bytes : std::uint64_t{0} - x.bytes;
  }

private:
  static constexpr auto states = static_cast<std::size_t>(last(core::job_state{})) + 1;

  count_map* all_;
  std::array<count_map::iterator, states> last_;
};

/// Ended jobs by their ends. The rows lie in the overlay, or in what was folded.
using ended_rows = std::map<count_key, std::vector<const job_row*>>;

} // namespace

/// What the overlay changes, and the counts that follow from it; as long as its reading lives.
struct view::changes {
  count_map all;
  ended_rows ended;           ///< In no index of ends yet.
  std::deque<job_row> folded; ///< Rows that the overlay has only parts of.
};

result<view::changes> view::changes_in(const reading& in, bool with_ends) {
  auto all = in.snapshot().counts();
  if (!all)
    return all.error();
  changes found{std::move(*all), {}, {}};
  count_changes sum{found.all};
  auto walked = in.each_changed([&](job_id id, const overlay::part& part) -> status {
    auto born =
        part.whole && part.places.size() == part.row.records && part.places.front().batch > in.k();
    auto before = born ? result<std::optional<job_row>>{std::optional<job_row>{}} : in.before(id);
    if (!before)
      return before.error();
    auto after = &part.row;
    if (!part.whole) {
      auto row = in.newest(id);
      if (!row)
        return row.error();
      after = *row ? &found.folded.emplace_back(std::move(**row)) : nullptr;
    }
    if (*before)
      sum.add(**before, false);
    if (!after || !after->there())
      return {};
    sum.add(*after, true);
    if (with_ends && terminal(after->state) && !(*before && terminal((*before)->state)))
      found.ended[count_of(*after)].push_back(after);
    return {};
  });
  if (!walked)
    return walked.error();
  std::erase_if(found.all, [](auto& x) { return x.second.jobs == 0; });
  for (auto& [of, rows] : found.ended)
    std::ranges::sort(rows, {}, [](auto x) { return std::pair{x->ended, x->id}; });
  return found;
}

result<std::map<count_key, job_count>> view::totals() {
  auto in = begin();
  if (!in)
    return in.error();
  auto found = changes_in(*in, false);
  if (!found)
    return found.error();
  return std::move(found->all);
}

namespace {

/// Collects what is not to be kept, up to a limit.
struct expiry_list {
  std::vector<expired_job> all;
  std::size_t limit = 0;

  bool full() const { return all.size() >= limit; }
};

/// What a group may keep.
struct budget {
  core::shard_time cutoff; ///< Ends up to here are too old; zero: none is.
  std::uint64_t excess = 0;

  /// Whether a job that ended then has to go; it takes the excess down.
  bool takes(core::shard_time ended, std::uint64_t bytes) {
    auto old = cutoff != core::shard_time{} && ended <= cutoff;
    if (!old && excess == 0)
      return false;
    excess -= std::min(excess, bytes);
    return true;
  }
};

budget budget_of(const retention_rule& rule, const job_count& count, core::shard_time now) {
  budget x{};
  if (rule.age > core::duration{} && now.time_since_epoch() > rule.age)
    x.cutoff = now - rule.age;
  if (rule.bytes > 0 && count.bytes > rule.bytes)
    x.excess = count.bytes - rule.bytes;
  return x;
}

std::uint64_t number_in(core::byte_view value) {
  std::uint64_t x = 0;
  core::reader{value}(x);
  return x;
}

/// Walks the ends of one group as the snapshot has them; `take` says whether to go on.
status each_end(const view::reading& in, const core::bytes& prefix,
                const std::function<bool(core::shard_time, job_id, std::uint64_t)>& take) {
  return each_row(
      in.tables(), table::by_end, prefix, prefix,
      [&](core::byte_view key, core::byte_view value) -> result<bool> {
        auto id = keys::id_in(key);
        auto part = in.part(id);
        if (part && part->deleted)
          return true;
        return take(keys::time_in(key), id, number_in(value));
      },
      true);
}

status expire_group(const view::reading& in, const count_key& of, budget rule,
                    std::span<const job_row* const> ended, expiry_list& to) {
  auto more = true;
  auto take = [&](core::shard_time at, job_id id, std::uint64_t bytes) {
    auto old = rule.cutoff != core::shard_time{} && at <= rule.cutoff;
    more = !to.full() && rule.takes(at, bytes);
    if (more)
      to.all.push_back({id, of.in.ns, !old});
    return more;
  };
  if (auto walked = each_end(in, keys::end(in.snapshot().shard(), of.in, of.state), take); !walked)
    return walked;
  for (auto x : ended)
    if (more)
      take(x->ended, x->id, x->bytes);
  return {};
}

/// Jobs with a retention of their own.
status expire_own(const view::reading& in, core::shard_time now, const ended_rows& ended,
                  expiry_list& to) {
  auto walked = each_end(in, keys::own_end(in.snapshot().shard()),
                         [&](core::shard_time at, job_id id, std::uint64_t) {
                           if (to.full() || at > now)
                             return false;
                           to.all.push_back({id, {}, false});
                           return true;
                         });
  for (auto& [of, rows] : ended)
    for (auto x : rows)
      if (of.own && x->ended + x->spec.retention <= now && !to.full())
        to.all.push_back({x->id, x->ns, false});
  return walked;
}

} // namespace

result<std::vector<expired_job>> view::expired(const retention_rules& rules, core::shard_time now,
                                               std::size_t limit) {
  auto in = begin();
  if (!in)
    return in.error();
  auto found = changes_in(*in, true);
  if (!found)
    return found.error();
  expiry_list list{{}, limit};
  if (auto walked = expire_own(*in, now, found->ended, list); !walked)
    return walked.error();
  for (auto& [of, count] : found->all) {
    if (of.own || !terminal(of.state) || list.full())
      continue;
    auto rule = budget_of(rules(of.in.ns, of.in.queue, of.state), count, now);
    if (auto walked = expire_group(*in, of, rule, found->ended[of], list); !walked)
      return walked.error();
  }
  return std::move(list.all);
}

namespace {

void name_blobs(const job_row& x, const view::blob_sink& sink) {
  sink(x.ns, x.spec.graph.sha256);
  for (auto& blob : x.blobs)
    sink(x.ns, blob);
}

/// A message that asks for a job names its graph, too.
void name_blobs(namespace_id ns, const core::message_sent& x, const view::blob_sink& sink) {
  auto body = core::decode_message(x.body);
  if (body)
    if (auto child = std::get_if<core::child_requested>(&*body)) {
      ns = child->ns;
      sink(ns, child->graph.sha256);
    }
  each_blob({ns, {}, {}, {}, x}, [&](const core::blob_ref& blob) { sink(ns, blob.sha256); });
}

} // namespace

/// What the overlay tells of comes first: it may be in the tables, at a place that was passed, by
/// the time that they are read. A job that ends meanwhile is in the table that is read later.
status view::each_blob(const blob_sink& sink) {
  {
    auto in = begin();
    if (!in)
      return in.error();
    auto walked = in->each_changed([&](job_id id, const overlay::part&) -> status {
      auto row = in->newest(id);
      if (row && *row && (*row)->there())
        name_blobs(**row, sink);
      return row ? status{} : status{row.error()};
    });
    if (!walked)
      return walked;
  }
  if (auto walked = each_message_blob(sink); !walked)
    return walked;
  for (auto in : {table::live, table::done})
    if (auto walked = each_table_blob(in, sink); !walked)
      return walked;
  return {};
}

status view::each_message_blob(const blob_sink& sink) {
  {
    auto in = begin();
    if (!in)
      return in.error();
    for (auto& at : in->behind().links()) {
      auto r = in->behind().record_at(at);
      if (!r)
        return r.error();
      if (auto sent = *r ? std::get_if<core::message_sent>(&(*r)->body) : nullptr)
        name_blobs((*r)->ns, *sent, sink);
    }
  }
  return each_table_blob(table::links, sink);
}

/// One table in pages, each in a transaction of its own.
status view::each_table_blob(table of, const blob_sink& sink) {
  auto prefix = of == table::links ? keys::outboxes(shard_) : keys::shard(shard_);
  for (auto start = prefix; !start.empty();) {
    auto in = begin();
    if (!in)
      return in.error();
    std::size_t seen = 0;
    auto from = std::exchange(start, {});
    auto walked = each_row(in->tables(), of, prefix, from,
                           [&](core::byte_view key, core::byte_view value) -> result<bool> {
                             if (++seen > limits::list_scan_max || in->is_over(seen)) {
                               start.assign(key.begin(), key.end());
                               return false;
                             }
                             if (of == table::links) {
                               core::message_sent message{{}, 0, body_of_outbox_row(value)};
                               name_blobs(space_of_outbox_row(value), message, sink);
                               return true;
                             }
                             auto row = decode_job_row(keys::id_in(key), value);
                             if (row)
                               name_blobs(*row, sink);
                             return row ? result<bool>{true} : result<bool>{row.error()};
                           });
    if (!walked)
      return walked;
  }
  return {};
}

} // namespace troupe::storage
