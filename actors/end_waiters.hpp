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
  void emplace(job_id job, waiter::callback done) { all_.emplace(job, std::move(done)); }

  /// Whoever asked later. Those that gave up are forgotten first; if too many are left, `x` is
  /// told `overloaded`.
  void emplace(job_id job, waiter x);

  /// Gives those back that wait for `job`, in the order in which they came.
  std::vector<waiter> take(job_id job);

  /// Gives all back.
  std::vector<waiter> take_all();

  void erase(job_id job) { all_.erase(job); }
  std::size_t size() const noexcept { return all_.size(); }

private:
  void forget_over();

  std::size_t most_;
  std::size_t sweep_at_ = 0; ///< Twice what the last sweep left, so that sweeping stays cheap.
  std::multimap<job_id, waiter> all_;
};

} // namespace troupe::actors
