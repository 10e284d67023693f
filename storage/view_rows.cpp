#include "storage/view_reading.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <set>

namespace troupe::storage {

result<core::link_state> view::links() {
  auto in = begin();
  if (!in)
    return in.error();
  auto links = in->snapshot().links();
  if (!links)
    return links;
  for (auto& at : in->behind().links()) {
    if (at.batch <= in->k())
      continue;
    auto r = in->behind().record_at(at);
    if (!r)
      return r.error();
    core::apply(*links, **r);
  }
  return links;
}

result<std::optional<found_request>> view::find_request(const keys::name_in& name,
                                                        core::shard_time now) {
  auto in = begin();
  if (!in)
    return in.error();
  request_row request;
  auto& behind = in->behind().requests();
  auto newer = behind.find(name);
  if (newer != behind.end() && newer->second.batch > in->k()) {
    request.id = newer->second.id;
  } else {
    auto found = in->snapshot().request(name);
    if (!found)
      return found.error();
    if (!*found)
      return std::optional<found_request>{};
    request = std::move(**found);
  }
  if (request.ended == core::shard_time{}) { // The job tells the rest.
    auto row = in->newest(request.id);
    if (!row)
      return row.error();
    if (*row) {
      request.ended = (*row)->ended;
      request.digest = (*row)->spec.request_digest;
    }
  }
  if (request.ended != core::shard_time{} && expires(request) <= now)
    return std::optional<found_request>{};
  return std::optional{found_request{request.id, std::move(request.digest)}};
}

namespace {

/// The content of a row as the overlay tells it.
result<std::optional<core::bytes>> content_of(const overlay& in, const overlay::row_part& x) {
  if (!x.content)
    return std::optional<core::bytes>{};
  auto r = in.record_at(*x.content);
  if (!r)
    return r.error();
  return std::optional{std::move(std::get<core::row_written>((*r)->body).content)};
}

/// The rows of one queue, in the order of their keys, from tables and overlay.
class row_merge {
public:
  row_merge(const overlay& behind, core::position k, snapshot_read tables, const keys::scope& in,
            std::string prefix)
      : behind_(behind),
        k_(k),
        tables_(tables),
        in_(in),
        prefix_(std::move(prefix)),
        cursor_(tables.tables().cursor(table::rows)) {}

  /// Begins with the first key that is not less than `first`.
  status start(const std::string& first) {
    newer_ = behind_.rows().lower_bound({in_, first});
    head_ = keys::rows(tables_.shard(), in_).size();
    there_ = cursor_->seek(keys::row(tables_.shard(), {in_, first}));
    return there_ ? status{} : status{there_.error()};
  }

  /// Nothing at the end.
  result<std::optional<own_row>> next() {
    for (;;) {
      if (!there_)
        return there_.error();
      auto old = old_key(), fresh = fresh_key();
      if (!old && !fresh)
        return std::optional<own_row>{};
      if (!fresh || (old && *old < *fresh)) {
        own_row x{*old, {cursor_->value().begin(), cursor_->value().end()}};
        there_ = cursor_->next();
        return std::optional{std::move(x)};
      }
      if (old == fresh)
        there_ = cursor_->next();
      auto content = content_of(behind_, newer_++->second);
      if (!content)
        return content.error();
      if (*content)
        return std::optional{own_row{*fresh, std::move(**content)}};
    }
  }

private:
  std::optional<std::string> old_key() const {
    if (!*there_ || !keys::starts_with(cursor_->key(), keys::row(tables_.shard(), {in_, prefix_})))
      return {};
    auto key = cursor_->key().subspan(head_);
    return std::string{key.begin(), key.end()};
  }

  std::optional<std::string> fresh_key() {
    auto end = behind_.rows().end();
    while (newer_ != end && newer_->second.batch <= k_)
      ++newer_;
    if (newer_ == end || newer_->first.in != in_ || !newer_->first.key.starts_with(prefix_))
      return {};
    return newer_->first.key;
  }

  const overlay& behind_;
  core::position k_;
  snapshot_read tables_;
  const keys::scope& in_;
  std::string prefix_;
  std::unique_ptr<table_cursor> cursor_;
  result<bool> there_ = false;
  std::size_t head_ = 0;
  std::map<keys::name_in, overlay::row_part>::const_iterator newer_;
};

} // namespace

result<std::optional<core::bytes>> view::row(const keys::name_in& name) {
  auto in = begin();
  if (!in)
    return in.error();
  auto& behind = in->behind().rows();
  auto newer = behind.find(name);
  if (newer != behind.end() && newer->second.batch > in->k())
    return content_of(in->behind(), newer->second);
  return in->snapshot().own_row(name);
}

result<std::vector<own_row>> view::rows(const keys::scope& scope, const std::string& prefix,
                                        const std::string& after, std::size_t limit) {
  auto in = begin();
  if (!in)
    return in.error();
  row_merge merge{in->behind(), in->k(), in->snapshot(), scope, prefix};
  auto first = after.empty() || after < prefix ? prefix : after + std::string(1, '\0');
  if (auto started = merge.start(first); !started)
    return started.error();
  std::vector<own_row> found;
  while (found.size() < std::min(limit, limits::rows_page_max)) {
    auto next = merge.next();
    if (!next)
      return next.error();
    if (!*next)
      break;
    found.push_back(std::move(**next));
  }
  return found;
}

/// Jumps from queue to queue.
result<std::vector<keys::scope>> view::row_scopes() {
  auto in = begin();
  if (!in)
    return in.error();
  std::set<keys::scope> found;
  for (auto& [name, x] : in->behind().rows())
    found.insert(name.in);
  auto shard = keys::shard(shard_);
  auto cursor = in->tables().cursor(table::rows);
  auto there = cursor->seek(shard);
  while (there && *there && keys::starts_with(cursor->key(), shard)) {
    keys::scope scope;
    core::reader key{cursor->key().subspan(shard.size())};
    key(scope.ns);
    while (key.ok && !key.in.empty() && key.in.front() != 0)
      scope.queue.push_back(static_cast<char>(key.take(1).front()));
    there = cursor->seek(keys::above(keys::rows(shard_, scope)));
    found.insert(std::move(scope));
  }
  if (!there)
    return there.error();
  return std::vector<keys::scope>{found.begin(), found.end()};
}

} // namespace troupe::storage
