#include "actors/job_book.hpp"

#include "core/render.hpp"

namespace troupe::actors {

namespace {

void tell_end(shard_context& shard, const result<job_info>& info, job_id id) {
  for (auto& call : shard.waiting.take(id))
    call(info);
}

} // namespace

storage::view::graph_source shard_context::graph_source() const {
  return [store = env->graphs](namespace_id ns, const graph_id& id) {
    auto found = store->find(ns, id);
    return found ? *found : nullptr;
  };
}

job_info info_of(const storage::job_row& x) {
  job_info info;
  info.id = x.id;
  info.ns = x.ns;
  info.state = x.state;
  info.queue = x.spec.queue;
  info.graph = x.spec.graph;
  info.labels = x.spec.labels;
  info.created = x.created;
  info.started = x.started;
  info.ended = x.ended;
  info.expires_at = x.spec.expires_at;
  info.error = x.error;
  if (x.spec.retry_of != job_id{})
    info.retry_of = x.spec.retry_of;
  return info;
}

job_info info_of(const core::job& x, bool with_result) {
  storage::job_row row;
  row.id = x.id;
  row.ns = x.ns;
  row.state = x.state;
  row.spec = x.spec;
  row.created = x.created;
  row.started = x.started;
  row.ended = x.ended;
  row.error = x.error;
  auto info = info_of(row);
  info.events = x.events;
  info.messages = x.messages;
  info.graph_name = x.plan ? x.plan->name : "";
  if (x.run) {
    info.vertices = x.plan->size();
    info.count = x.run->count;
  }
  if (with_result && x.state == job_state::completed)
    info.result = core::result_of(x, core::whole);
  return info;
}

job_book::job_book(std::shared_ptr<shard_context> shard, core::job x, core::position at)
    : shard_(std::move(shard)), job_(std::move(x)), outputs_(job_), at_(at) {
  if (auto& to = shard_->env->observer)
    tally_ = std::make_shared<vertex_tally>(to, counts_of(job_));
}

void job_book::add(const core::record& added) { put(added, {}); }

bool job_book::is_full(std::size_t more) const noexcept {
  return group_.size() + more >= limits::record_group_bytes_max / 2;
}

void job_book::take(core::record_group decided) {
  core::transact(job_, std::move(decided), now(), [this](auto& r, auto& seen) { put(r, seen); });
}

/// One record of the job as it is after it.
void job_book::put(const core::record& r, const core::changes& seen) {
  ++taken_;
  core::encode(r, group_);
  for (auto& change : seen.ready)
    ready_.push_back(change.vertex);
  if (auto moved = std::get_if<core::job_moved>(&r.body))
    ended_ = ended_ || terminal(moved->to);
  if (tally_)
    noted().note(job_, r, seen);
  if (shard_->ring->watches(job_.id))
    core::render(job_, r, seen,
                 [this](event&& x) { return events_.push_back(std::move(x)), true; });
  outputs_.after(job_, r);
}

observation& job_book::noted() {
  if (!seen_)
    seen_ = std::make_shared<observation>(observed(job_));
  return *seen_;
}

void job_book::waited(wait_reason why, core::duration time) {
  if (tally_ && time > core::duration{})
    noted().waited(why, time);
}

void job_book::flush(output out) {
  if (group_.empty()) {
    if (out)
      shard_->log->hold(at_, std::move(out));
    return;
  }
  output all;
  if (seen_)
    seen_->count(job_);
  if (!events_.empty() || ended_ || seen_)
    all = [shard = shard_, events = std::exchange(events_, {}), id = job_.id,
           info = ended_ ? std::optional{info_of(job_)} : std::nullopt,
           seen = std::exchange(seen_, {}), tally = tally_,
           out = std::move(out)](const status& outcome) mutable {
      if (outcome && seen)
        seen->tell(*shard->env->observer, *tally);
      if (outcome && !events.empty())
        shard->ring->push(std::move(events));
      if (info)
        tell_end(*shard, outcome ? result<job_info>{std::move(*info)} : outcome.error(), id);
      if (out)
        out(outcome);
    };
  else
    all = std::move(out);
  at_ = shard_->log->append(std::exchange(group_, {}), std::move(all));
  if (std::exchange(ended_, false))
    outputs_.release_all(job_);
}

std::uint64_t job_book::watch() { return shard_->ring->open(job_.id, job_.events + 1); }

} // namespace troupe::actors
