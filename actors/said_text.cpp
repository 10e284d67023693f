#include "actors/said_text.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

namespace {

/// Whether `text` goes on in the event of `piece`: only whole lines are joined.
bool joins(const said_piece& piece, const std::string& text) {
  return piece.text.ends_with('\n')
         && piece.text.size() + text.size() <= limits::said_gather_bytes_max;
}

} // namespace

said_budget::grant said_budget::take(std::size_t bytes) noexcept {
  auto left = left_.load();
  std::size_t got;
  do
    got = std::min(bytes, left);
  while (!left_.compare_exchange_weak(left, left - got));
  return {got, got == left};
}

bool said_text::add(std::string text) {
  if (text.empty())
    return false;
  std::lock_guard lock{mutex_};
  auto more = !pieces_.empty() && joins(pieces_.back(), text);
  auto got = budget_->take(more ? text.size() : std::max(text.size(), limits::said_bytes_least));
  if (got.bytes == 0)
    return false; // That the rest is not kept was said before.
  if (got.bytes < text.size())
    text.resize(core::whole_characters(text, got.bytes));
  if (!more)
    pieces_.emplace_back();
  auto& piece = pieces_.back();
  piece.text += text;
  piece.cost += got.bytes;
  piece.last = got.last;
  return !std::exchange(told_, true);
}

std::vector<said_piece> said_text::take() {
  std::lock_guard lock{mutex_};
  told_ = false;
  return std::exchange(pieces_, {});
}

} // namespace troupe::actors
