#pragma once

#include "messages/end_waiter.hpp"
#include "troupe/limits.hpp"

#include <map>
#include <vector>

namespace troupe::actors {

/// Who waits for the end of which job. One thread at a time.
class end_waiters {
public:
  using waiter = messages::end_waiter;

  explicit end_waiters(std::size_t most = limits::end_waiters_max) : most_(most) {}

  /// Whoever submitted the job; there are no more of them than jobs.
  void emplace(job_id job, waiter::callback done) { submitters_.emplace(job, std::move(done)); }

  /// Whoever asked later. Those that gave up are forgotten first; if too many are left, `x` is
  /// told `overloaded`.
  void emplace(job_id job, waiter x);

  /// Gives those back that wait for `job`, in the order in which they came: submitters are first.
  std::vector<waiter> take(job_id job);

  /// Gives all back.
  std::vector<waiter> take_all();

  void erase(job_id job) {
    submitters_.erase(job);
    later_.erase(job);
  }
  std::size_t size() const noexcept { return submitters_.size() + later_.size(); }

private:
  void forget_over();

  std::size_t most_;
  std::size_t sweep_at_ = 0; ///< Twice what the last sweep left, so that sweeping stays cheap.
  std::multimap<job_id, waiter> submitters_, later_;
};

} // namespace troupe::actors
