#pragma once

#include "actors/environment.hpp"
#include "messages/job.hpp"

namespace troupe::actors {

/// Turns what a runner reported into what a decision takes. A value too large for a record goes
/// to a blob first; `then` is called once, on any thread.
void to_result(environment& env, namespace_id ns, core::vertex_index v, attempt_report x,
               const std::function<void(core::attempt_result)>& then);

/// A report that ends up as `attempt_done` at the job.
attempt_runner::report reporter(std::shared_ptr<environment> env, namespace_id ns, caf::actor job,
                                core::vertex_index v, core::token proof);

} // namespace troupe::actors
