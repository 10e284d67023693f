#pragma once

#include "node/client/node_client.hpp"
#include "node/console.hpp"
#include "node/interrupts.hpp"
#include "node/run_view.hpp"
#include "node/vertex_tree.hpp"

#include <chrono>
#include <optional>

namespace troupe::node {

/// Shows a job of a node while it runs, up to its end, also through restarts of the node: a moving
/// picture on a terminal, else lines. One thread.
class job_watch {
public:
  using clock = std::chrono::steady_clock;

  /// With `format::ndjson` every event goes to standard output as it came, and nothing else is
  /// shown. `quiet`: nothing is shown.
  job_watch(console& to, client::node_client& node, const interrupts& signals, const job_info& job,
            format how, bool quiet = false);

  /// Watches until the job has ended, at most `limit`. Faults: those of `client::follow_events`,
  /// `interrupted`, `terminated`, `output_failed`, and `timed_out` of `ec`.
  std::optional<trouble> run(std::optional<std::chrono::milliseconds> limit);

  const progress& seen() const noexcept { return view_.seen(); }

private:
  void draw_tree(const job_info& job);
  bool take(const event& x, std::string_view json);
  bool may_wait();
  void tell_connection(const trouble* lost);
  trouble given_up(const trouble& why) const;

  console& to_;
  client::node_client& node_;
  const interrupts& signals_;
  job_id id_;
  format how_;
  run_view view_;
  std::optional<vertex_tree> tree_; ///< On a terminal.
  std::optional<std::chrono::milliseconds> limit_;
  clock::time_point begun_ = clock::now();
  bool lost_ = false, late_ = false;
};

} // namespace troupe::node
