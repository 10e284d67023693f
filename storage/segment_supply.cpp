#include "storage/segment_supply.hpp"

#include "storage/own_thread.hpp"
#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::storage {

namespace {

constexpr auto grain = static_cast<std::uint32_t>(limits::segment_grain_bytes);

std::uint32_t halved(std::uint32_t size, std::uint32_t least) {
  return std::max(size / 2 / grain * grain, least);
}

/// Whether the file is as good as before, whatever it was to be.
bool is_passing(ec x) { return x == ec::not_ready || x == ec::overloaded; }

std::uint64_t sum_of(const segment_stock::numbered& segments) {
  std::uint64_t bytes = 0;
  for (auto& [number, size] : segments)
    bytes += size;
  return bytes;
}

} // namespace

std::uint32_t segment_sizes::of(std::uint64_t number) const noexcept {
  auto size = first;
  for (; number > 1 && size < max; --number)
    size *= 2;
  return std::min(size, max);
}

segment_supply::segment_supply(journal_place place, segment_sizes sizes, segment_stock stock,
                               removal_gate gate, disk_guard* guard)
    : place_(std::move(place)),
      sizes_(sizes),
      guard_(guard),
      ready_(std::move(stock.ready)),
      left_(std::move(stock.left)),
      target_(stock.start),
      trimmed_(!left_.empty()),
      gate_(std::move(gate)),
      start_(std::move(stock.start)),
      spares_(std::move(stock.spares)) {
  spare_bytes_ = sum_of(spares_);
  count_bytes();
  worker_ = own_thread([this](const std::stop_token& stop) { run(stop); });
}

segment_supply::~segment_supply() {
  worker_.request_stop();
  worker_.join();
}

void segment_supply::want(std::uint64_t number) {
  {
    std::scoped_lock lock{mutex_};
    if (wanted_ != 0 || ready_.contains(number))
      return;
    wanted_ = number;
    wanted_bytes_ = 0;
  }
  changed_.notify_all();
}

result<std::uint32_t> segment_supply::take(std::uint64_t number, std::uint32_t bytes_min) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return wanted_ == 0; });
  auto found = ready_.extract(number);
  if (found.empty() || found.mapped() < bytes_min) {
    wanted_ = number;
    wanted_bytes_ = bytes_min;
    changed_.notify_all();
    changed_.wait(lock, [this] { return wanted_ == 0; });
    found = ready_.extract(number);
  }
  count_bytes();
  if (found.empty())
    return outcome_.error();
  return found.mapped();
}

void segment_supply::recycle(std::uint64_t first, std::map<core::shard_id, core::position> trimmed,
                             const segment_stock::numbered& left) {
  {
    std::scoped_lock lock{mutex_};
    target_.first = first;
    target_.trimmed = std::move(trimmed);
    left_.insert(left.begin(), left.end());
    trimmed_ = true;
  }
  changed_.notify_all();
}

void segment_supply::run(const std::stop_token& stop) {
  if (start_.sequence == 0) // Made while there is space; a failure shows when it is needed.
    (void)write_start(place_, start_);
  std::unique_lock lock{mutex_};
  auto has_work = [this] { return wanted_ != 0 || trimmed_; };
  while (!stop.stop_requested()) {
    if (left_.empty())
      changed_.wait(lock, stop, has_work);
    else // Someone holds a pin, or the disk refused.
      changed_.wait_for(lock, stop, limits::disk_poll, has_work);
    trimmed_ = false;
    if (!stop.stop_requested() && !left_.empty())
      clear_left(lock);
    if (wanted_ != 0)
      make_wanted(lock, stop);
  }
}

void segment_supply::clear_left(locked& lock) {
  auto target = target_;
  auto left = left_;
  lock.unlock();
  auto handled = left;
  (void)gate_.pass([&] { return retire(std::move(target), left); });
  std::erase_if(handled, [&](auto& x) { return left.contains(x.first); });
  lock.lock();
  for (auto& [number, size] : handled)
    left_.erase(number);
  spare_bytes_ = sum_of(spares_);
  count_bytes();
}

/// First it is durable that they are not needed, then they go: a crash leaves what `START` tells
/// from those in use. What is done is taken from `left`.
status segment_supply::retire(journal_start target, segment_stock::numbered& left) {
  if (target.first != start_.first || target.trimmed != start_.trimmed) {
    target.sequence = start_.sequence;
    if (auto written = write_start(place_, target); !written)
      return written;
    start_ = std::move(target);
  }
  while (!left.empty()) {
    if (auto done = retire_one(left.begin()->first, left.begin()->second); !done)
      return done;
    left.erase(left.begin());
  }
  return sync_directory(*place_.files, place_.directory);
}

/// Keeps the largest ones.
status segment_supply::retire_one(std::uint64_t number, std::uint32_t size) {
  auto smallest = std::min_element(spares_.begin(), spares_.end(),
                                   [](auto& a, auto& b) { return a.second < b.second; });
  if (spares_.size() >= limits::journal_spares_max) {
    if (smallest->second >= size)
      return remove_segment(*place_.files, place_.directory, number);
    if (auto gone = remove_spare(*place_.files, place_.directory, smallest->first); !gone)
      return gone;
    spares_.erase(smallest);
  }
  if (!keep_as_spare(*place_.files, place_.directory, number))
    return remove_segment(*place_.files, place_.directory, number);
  spares_[number] = size;
  return {};
}

void segment_supply::make_wanted(locked& lock, const std::stop_token& stop) {
  auto number = wanted_;
  auto bytes_min = wanted_bytes_;
  lock.unlock();
  if (guard_)
    guard_->poll();
  auto made = prepare(number, bytes_min, stop);
  lock.lock();
  outcome_ = made ? status{} : status{made.error()};
  if (made)
    ready_[number] = *made;
  wanted_ = 0;
  spare_bytes_ = sum_of(spares_);
  count_bytes();
  changed_.notify_all();
}

result<std::uint32_t> segment_supply::prepare(std::uint64_t number, std::uint32_t bytes_min,
                                              const std::stop_token& stop) {
  auto least = std::max((bytes_min + grain - 1) / grain * grain, grain);
  auto size = std::max(sizes_.of(number), least);
  auto reused = reuse(number, size, stop);
  if (reused || is_passing(reused.code()))
    return reused;
  size = fitting(size, least);
  auto made = prepare_segment(*place_.files, place_.directory, number, size, stop);
  while (made.code() == ec::no_space && size > least) {
    size = halved(size, least);
    made = prepare_segment(*place_.files, place_.directory, number, size, stop);
  }
  if (made)
    return size;
  if (made.code() == ec::no_space) // A smaller one than wished is better than none.
    if (auto smaller = reuse(number, bytes_min, stop))
      return smaller;
  return made.error();
}

/// A smaller segment than wished is better than none: it takes at most half of what is free.
std::uint32_t segment_supply::fitting(std::uint32_t wished, std::uint32_t least) const {
  disk_space found;
  if (place_.files->space(place_.directory, found) < 0)
    return wished;
  while (wished > least && wished > found.free / 2)
    wished = halved(wished, least);
  return wished;
}

/// Makes the segment out of the smallest spare that suffices. Errors: `no_space` if none does.
result<std::uint32_t> segment_supply::reuse(std::uint64_t number, std::uint32_t bytes_min,
                                            const std::stop_token& stop) {
  auto best = spares_.end();
  for (auto x = spares_.begin(); x != spares_.end(); ++x)
    if (x->second >= bytes_min && (best == spares_.end() || x->second < best->second))
      best = x;
  if (best == spares_.end())
    return ec::no_space;
  auto [spare, size] = *best;
  auto done = reuse_spare(*place_.files, place_.directory, spare, number, size, stop);
  if (is_passing(done.code()))
    return done.error();
  spares_.erase(best); // After a failure nothing is known of it.
  if (done)
    return size;
  (void)remove_spare(*place_.files, place_.directory, spare);
  return done.error();
}

/// With the lock.
void segment_supply::count_bytes() {
  bytes_.store(sum_of(ready_) + sum_of(left_) + spare_bytes_, std::memory_order_relaxed);
}

} // namespace troupe::storage
