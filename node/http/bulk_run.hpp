#pragma once

#include "node/http/api.hpp"

namespace troupe::http {

inline constexpr std::size_t bulk_ids_max = 20; ///< The first jobs that the log of changes names.

/// What a bulk request has done.
struct bulk {
  std::size_t done = 0;     ///< Or would be, in a dry run.
  std::size_t refused = 0;  ///< Had moved on meanwhile, or is not allowed.
  std::size_t repeated = 0; ///< Were done by an earlier such request.
  std::string ids{};        ///< Of the first that were done, each behind a space.
  std::optional<error> failed;
};

/// The answer to a bulk request.
response answer_of(const bulk& x, bool dry_run);

/// What is done to each job; it must not wait for more than the disk. `done` is told how it went:
/// `illegal_request` or `no_such_job` if the job is refused, `idempotency_conflict` if an earlier
/// request has done it already; anything else ends the request.
using bulk_step =
    std::function<void(const job_info&, const std::function<void(const status&)>& done)>;

/// One of the `bulk_runs_max` that may go on at once.
class bulk_slot {
public:
  explicit bulk_slot(api_ptr in)
      : in_(std::move(in)), is_mine_(++in_->bulk_runs <= bulk_runs_max) {}
  ~bulk_slot() { give_back(); }
  bulk_slot(const bulk_slot&) = delete;
  bulk_slot& operator=(const bulk_slot&) = delete;

  explicit operator bool() const noexcept { return is_mine_; }

  /// To be called before the answer, after which the client may ask again.
  void give_back() {
    if (std::exchange(is_held_, false))
      --in_->bulk_runs;
  }

private:
  api_ptr in_;
  bool is_mine_, is_held_ = true;
};

/// Acts on all jobs of the filters, one filter after the other, page by page, and answers. Each
/// page is one task of the pool; the next begins when all of it is done, so a long one leaves room
/// for others. It ends at the next page when nobody waits for the answer any more. The call is
/// answered at once if there is no slot.
void run_bulk(const api_ptr& in, const call_ptr& to, std::vector<job_filter> filters, bool dry_run,
              bulk_step act);

} // namespace troupe::http
