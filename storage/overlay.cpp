#include "storage/overlay.hpp"

#include <algorithm>
#include <cassert>

namespace troupe::storage {

namespace {

/// Removes what the batch `upto` and those before made, unless a later one made it anew.
void forget(auto& order, auto& all, core::position upto) {
  for (; !order.empty() && order.front().first <= upto; order.pop_front())
    if (auto found = all.find(order.front().second);
        found != all.end() && found->second.batch <= upto)
      all.erase(found);
}

} // namespace

job_id later(job_id a, job_id b) noexcept {
  auto order = [](job_id x) { return std::pair{x.high >> 16, x.low}; };
  return order(a) < order(b) ? b : a;
}

status overlay::add(durable_batch x) {
  assert(batches_.empty() || x.at == batches_.back().at + 1);
  auto at = x.at;
  auto records = x.records;
  batches_.push_back(std::move(x));
  auto places = core::places_in(*records, false);
  if (!places)
    return places.error();
  for (auto& found : *places) {
    place where{at, found.begin, found.end};
    auto r = record_at(where);
    if (!r)
      return r.error();
    if (found.job != job_id{})
      index_job(found.job, where, *r ? &**r : nullptr);
    if (*r)
      index(where, **r);
  }
  return {};
}

/// `r` is null for one that may be ignored: it only counts.
void overlay::index_job(job_id id, const place& at, const core::record* r) {
  auto& x = jobs_[id];
  auto added = r && std::holds_alternative<core::job_added>(r->body);
  if (x.places.empty() || x.places.back().batch != at.batch)
    job_order_.emplace_back(at.batch, id);
  x.whole = x.whole || (added && x.places.empty());
  x.deleted = x.deleted || (r && std::holds_alternative<core::job_deleted>(r->body));
  x.places.push_back(at);
  if (x.whole && r)
    fold(x.row, *r, at.end - at.begin);
  else if (x.whole)
    ++x.row.records;
}

/// What a record tells beside its job.
void overlay::index(const place& at, const core::record& r) {
  if (auto added = std::get_if<core::job_added>(&r.body)) {
    newest_ = later(newest_, r.job);
    if (added->idempotency_key.empty() || r.job == job_id{})
      return;
    keys::name_in name{{r.ns, added->queue}, added->idempotency_key};
    requests_[name] = {at.batch, r.job};
    request_order_.emplace_back(at.batch, std::move(name));
  } else if (auto written = std::get_if<core::row_written>(&r.body)) {
    keys::name_in name{{r.ns, written->queue}, written->key};
    rows_[name] = {at.batch, at};
    row_order_.emplace_back(at.batch, std::move(name));
  } else if (auto erased = std::get_if<core::row_erased>(&r.body)) {
    keys::name_in name{{r.ns, erased->queue}, erased->key};
    rows_[name] = {at.batch, {}};
    row_order_.emplace_back(at.batch, std::move(name));
  } else if (auto raised = std::get_if<core::feature_level_raised>(&r.body)) {
    level_ = std::max(level_, raised->level);
  } else if (std::holds_alternative<core::message_sent>(r.body)
             || std::holds_alternative<core::message_received>(r.body)
             || std::holds_alternative<core::message_acknowledged>(r.body)) {
    links_.push_back(at);
  }
}

void overlay::drop_oldest() {
  auto upto = batches_.front().at;
  for (; !job_order_.empty() && job_order_.front().first <= upto; job_order_.pop_front()) {
    auto found = jobs_.find(job_order_.front().second);
    auto& places = found->second.places;
    auto kept = std::ranges::find_if(places, [=](auto& x) { return x.batch > upto; });
    places.erase(places.begin(), kept);
    if (places.empty())
      jobs_.erase(found);
  }
  forget(row_order_, rows_, upto);
  forget(request_order_, requests_, upto);
  while (!links_.empty() && links_.front().batch <= upto)
    links_.pop_front();
  batches_.pop_front();
}

const overlay::part* overlay::find(job_id id, core::position k) const {
  auto found = jobs_.find(id);
  return found != jobs_.end() && has_beyond(found->second, k) ? &found->second : nullptr;
}

core::byte_view overlay::bytes_at(const place& x) const {
  auto& from = batches_[static_cast<std::size_t>(x.batch - batches_.front().at)];
  return core::byte_view{*from.records}.subspan(x.begin, x.end - x.begin);
}

result<std::optional<core::record>> overlay::record_at(const place& x) const {
  std::optional<core::record> found;
  auto decoded = core::decode(bytes_at(x), [&](core::record&& r) -> status {
    found = std::move(r);
    return {};
  });
  if (!decoded)
    return decoded.error();
  return found;
}

status overlay::fold_beyond(const part& x, core::position k, job_row& into) const {
  for (auto& at : x.places) {
    if (at.batch <= k)
      continue;
    auto r = record_at(at);
    if (!r)
      return r.error();
    if (*r)
      fold(into, **r, at.end - at.begin);
    else if (into.records > 0)
      ++into.records;
  }
  return {};
}

} // namespace troupe::storage
