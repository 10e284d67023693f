#pragma once

#include "actors/kinds/attempt_runner.hpp"
#include "troupe/caf.hpp"

#include <atomic>
#include <set>

namespace troupe::actors {

/// Runs the attempts of `actor` vertices: an actor of its own hands them to those of the host and
/// takes their answers. An attempt is reported once; a late answer is dropped.
///
/// Problem codes: those of `host::failed`; `error` (any other error), `exception`, `actor_down`,
/// `bad_answer`, `timed_out`, `cancelled`, `unknown_actor`, `invalid_config`.
class actor_runner final : public attempt_runner {
public:
  /// The entries have distinct names, actors, and run at least one attempt each.
  actor_runner(caf::actor_system& system, const std::vector<actor_entry>& entries);
  ~actor_runner() override { close(); }

  /// Whether there is an entry of this name. Thread-safe.
  bool knows(const std::string& name) const { return names_.contains(name); }

  void start(attempt x, report done, log say) override;
  void cancel(core::token proof, core::duration grace) override;

  /// Attempts of an entry go to this actor from now on; those that the one before has stay there.
  void replace(const std::string& name, caf::actor to);

  /// Reports what was not reported as `cancelled`, and takes no more.
  void close();

private:
  std::set<std::string> names_;
  caf::actor dispatcher_;
  std::atomic<bool> closed_ = false;
};

} // namespace troupe::actors
