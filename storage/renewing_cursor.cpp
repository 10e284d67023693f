#include "storage/renewing_cursor.hpp"

#include "storage/table_map.hpp"
#include "troupe/limits.hpp"

namespace troupe::storage {

void renewing_cursor::let_go() noexcept {
  cursor_.reset();
  reader_.reset();
}

result<bool> renewing_cursor::refresh() {
  if (reader_ && now_() - since_ < limits::read_transaction_max)
    return true;
  let_go();
  auto begun = from_.read();
  if (!begun)
    return begun.error();
  reader_ = std::move(*begun);
  cursor_ = reader_->cursor(in_);
  since_ = now_();
  ++transactions_;
  return false;
}

result<bool> renewing_cursor::at(result<bool> found) {
  placed_ = found && *found;
  if (placed_)
    place_.assign(cursor_->key().begin(), cursor_->key().end());
  return found;
}

result<bool> renewing_cursor::seek(core::byte_view key) {
  if (auto ready = refresh(); !ready)
    return ready;
  return at(cursor_->seek(key));
}

result<bool> renewing_cursor::seek_before(core::byte_view key) {
  if (auto ready = refresh(); !ready)
    return ready;
  return at(cursor_->seek_before(key));
}

result<bool> renewing_cursor::next() {
  if (!placed_)
    return false;
  auto same = refresh();
  if (!same)
    return same;
  if (*same)
    return at(cursor_->next());
  auto found = cursor_->seek(place_);
  if (found && *found && compare_keys(cursor_->key(), place_) == 0)
    found = cursor_->next();
  return at(std::move(found));
}

result<bool> renewing_cursor::previous() {
  if (!placed_)
    return false;
  auto same = refresh();
  if (!same)
    return same;
  return at(*same ? cursor_->previous() : cursor_->seek_before(place_));
}

} // namespace troupe::storage
