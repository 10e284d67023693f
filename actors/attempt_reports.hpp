#pragma once

#include "actors/environment.hpp"
#include "messages/job.hpp"

namespace troupe::actors {

/// What a decision takes of a report, if no blob is needed for it. Takes `x` then.
std::optional<core::attempt_result> small_result(core::vertex_index v, attempt_report& x);

/// The same of an output that `small_result` left: once `raw`, its encoded form, is in a blob.
/// `then` is called once, on any thread.
void large_result(environment& env, namespace_id ns, core::vertex_index v, core::bytes raw,
                  std::shared_ptr<const value> output,
                  const std::function<void(core::attempt_result)>& then);

/// Turns what a runner reported into what a decision takes. A value too large for a record goes
/// to a blob first; `then` is called once, on any thread.
void to_result(environment& env, namespace_id ns, core::vertex_index v, attempt_report x,
               const std::function<void(core::attempt_result)>& then);

/// A report that ends up as `attempt_done` at the job.
attempt_runner::report reporter(std::shared_ptr<environment> env, namespace_id ns, caf::actor job,
                                core::vertex_index v, core::token proof);

} // namespace troupe::actors
