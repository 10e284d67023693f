#include "actors/recovery_watch.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

namespace troupe::actors {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_interval{500}; // At how far recoveries have come.

} // namespace

struct recovery_watch::shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::optional<status>> said; ///< By the order of `expect`.

  void say(std::size_t at, const status& x) {
    std::scoped_lock lock{mutex};
    if (!said[at])
      said[at] = x;
    changed.notify_all();
  }

  /// The first trouble; no error once all have recovered; nothing yet. With the lock held.
  std::optional<status> verdict() const {
    bool all = true;
    for (auto& x : said) {
      if (x && !*x)
        return x;
      all = all && x;
    }
    return all ? std::optional{status{}} : std::nullopt;
  }
};

recovery_watch::recovery_watch() : shared_(std::make_shared<shared>()) {}

std::function<void(const status&)> recovery_watch::expect() {
  std::scoped_lock lock{shared_->mutex};
  shared_->said.emplace_back();
  return [to = shared_, at = shared_->said.size() - 1](const status& x) { to->say(at, x); };
}

void recovery_watch::give_up(const error& why) {
  std::scoped_lock lock{shared_->mutex};
  for (auto& x : shared_->said)
    if (!x)
      x = status{why};
  shared_->changed.notify_all();
}

status recovery_watch::wait(std::chrono::milliseconds idle_max,
                            const std::function<std::uint64_t()>& progress) {
  std::unique_lock lock{shared_->mutex};
  auto until = clock::now() + idle_max;
  for (auto seen = progress(); clock::now() < until;) {
    if (auto x = shared_->verdict())
      return *x;
    shared_->changed.wait_until(lock, std::min(until, clock::now() + look_interval));
    if (auto now = progress(); now != std::exchange(seen, now))
      until = clock::now() + idle_max;
  }
  auto late = std::ranges::count_if(shared_->said, [](auto& x) { return !x; });
  return shared_->verdict().value_or(status{error{
      ec::timed_out,
      std::to_string(late) + " of " + std::to_string(shared_->said.size())
          + " shards make no progress with their recovery; check the disk, then open again"}});
}

} // namespace troupe::actors
