#pragma once

#include "actors/kinds/attempt_runner.hpp"
#include "actors/kinds/function_registry.hpp"

#include <cstddef>
#include <memory>

namespace troupe::actors {

/// The threads of `function` vertices and their bounds.
struct function_options {
  std::size_t threads = 0;        ///< 0: one per core, at least 2.
  std::size_t abandoned_max = 64; ///< Threads in calls that do not return; then none is replaced.
  core::duration close_max{1000}; ///< For calls to return, in the destructor.
};

/// Runs the attempts of `function` vertices on a pool of threads. The soft time-out and a cancel
/// ask through the stop token; at the hard one, or when the grace is over, the attempt is reported
/// at once, its thread is given up and another takes its place: what the call does later is
/// dropped. While every thread is stuck like that, attempts fail.
///
/// Problem codes: those of `failure`, `exception`, `unknown_function`, `timed_out`, `cancelled`,
/// `functions_stuck`, `invalid_config`.
class function_runner final : public attempt_runner {
public:
  explicit function_runner(std::shared_ptr<const function_registry> registry,
                           function_options options = {});
  /// Asks all calls to return and gives up those that do not. What was not reported is reported as
  /// `cancelled`.
  ~function_runner() override;

  void start(attempt x, report done, log say) override;
  void cancel(core::token proof, core::duration grace) override;
  std::optional<runner_use> use() const override;

private:
  std::shared_ptr<const function_registry> registry_;
  std::shared_ptr<class function_pool> pool_;
};

} // namespace troupe::actors
