#include "storage/segment_supply.hpp"

#include "storage/own_thread.hpp"
#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::storage {

std::uint32_t segment_sizes::of(std::uint64_t number) const noexcept {
  auto size = first;
  for (; number > 1 && size < max; --number)
    size *= 2;
  return std::min(size, max);
}

segment_supply::segment_supply(file_ops& files, std::filesystem::path directory,
                               segment_sizes sizes, std::map<std::uint64_t, std::uint32_t> ready)
    : files_(files),
      directory_(std::move(directory)),
      sizes_(sizes),
      ready_(std::move(ready)),
      worker_(own_thread([this](const std::stop_token& stop) { run(stop); })) {}

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
  }
  changed_.notify_all();
}

result<std::uint32_t> segment_supply::take(std::uint64_t number, std::uint32_t bytes_min) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return wanted_ == 0; });
  if (auto found = ready_.extract(number); !found.empty() && found.mapped() >= bytes_min)
    return found.mapped();
  auto grain = static_cast<std::uint32_t>(limits::segment_grain_bytes);
  auto size = std::max(sizes_.of(number), (bytes_min + grain - 1) / grain * grain);
  if (auto made = prepare_segment(files_, directory_, number, size, {}); !made)
    return made.error();
  return size;
}

void segment_supply::run(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  while (changed_.wait(lock, stop, [this] { return wanted_ != 0; })) {
    auto number = wanted_;
    auto size = sizes_.of(number);
    lock.unlock();
    auto made = prepare_segment(files_, directory_, number, size, stop);
    lock.lock();
    if (made)
      ready_[number] = size;
    wanted_ = 0;
    changed_.notify_all();
    if (stop.stop_requested())
      return;
  }
}

} // namespace troupe::storage
