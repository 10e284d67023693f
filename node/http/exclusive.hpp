#pragma once

#include "node/http/api.hpp"

/// Queues that have one unfinished job at most.
namespace troupe::http {

/// A request that waits for its turn is refused after this.
inline constexpr std::chrono::milliseconds exclusive_wait_max = limits::http_wait_max;
/// Jobs that may come first each time that the queue was free; then `overloaded`.
inline constexpr int exclusive_tries_max = 100;

/// What became of a request for a job.
struct submit_outcome {
  result<submitted> made = ec::not_ready;
  std::optional<job_info> busy{}; ///< The queue has this job, and takes no other: there is none.
  bool closing = false;           ///< The node ends, and the request still waited: there is none.
};

/// Makes a job as `runtime::submit_once`. In an exclusive queue only while no other one there is
/// unfinished: that is looked at and made durable in one step, so of two requests one wins. By
/// `rule` the other is told at once, or waits as long as its client does. The same request with the
/// same idempotency key is answered as ever, also while another job is there. `then` is called
/// once, on any thread.
void submit_exclusively(const api_ptr& in, const call_ptr& to, const job_spec& spec,
                        exclusive_rule rule, std::function<void(const submit_outcome&)> then);

/// The same by the rule of its queue, which may be none.
void submit_by_rule(const api_ptr& in, const call_ptr& to, const job_spec& spec,
                    std::function<void(const submit_outcome&)> then);

/// The unfinished job of a queue; reads the disk. Errors: those of `runtime::list`.
result<std::optional<job_info>> unfinished_in(runtime& node, namespace_id ns,
                                              const std::string& queue);

/// Whether there is no job; then the call is answered with why.
bool is_refused(const call_ptr& to, const submit_outcome& x);

/// Why a job cannot be made in an exclusive queue in this way; nothing if the queue is not.
std::optional<error> only_alone(const api_ptr& in, const std::string& queue);

} // namespace troupe::http
