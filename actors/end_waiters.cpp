#include "actors/end_waiters.hpp"

#include <algorithm>
#include <string>

namespace troupe::actors {

namespace {

constexpr std::size_t sweep_least = 64; // Fewer are not worth a look.

} // namespace

void end_waiters::emplace(job_id job, waiter x) {
  if (later_.size() >= std::min(sweep_at_, most_))
    forget_over();
  if (later_.size() >= most_)
    return x(error{ec::overloaded, std::to_string(later_.size())
                                       + " callers wait for the ends of jobs; repeat when some "
                                         "have ended, or read the job's events"});
  later_.emplace(job, std::move(x));
}

void end_waiters::forget_over() {
  std::erase_if(later_, [](auto& x) { return x.second.over(); });
  sweep_at_ = std::max(sweep_least, 2 * later_.size());
}

std::vector<end_waiters::waiter> end_waiters::take(job_id job) {
  std::vector<waiter> taken;
  for (auto* all : {&submitters_, &later_}) {
    auto [begin, end] = all->equal_range(job);
    for (auto at = begin; at != end; ++at)
      taken.push_back(std::move(at->second));
    all->erase(begin, end);
  }
  return taken;
}

std::vector<end_waiters::waiter> end_waiters::take_all() {
  std::vector<waiter> taken;
  for (auto* all : {&submitters_, &later_})
    for (auto& [job, x] : std::exchange(*all, {}))
      taken.push_back(std::move(x));
  return taken;
}

} // namespace troupe::actors
