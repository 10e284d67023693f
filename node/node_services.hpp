#pragma once

#include "node/config_command.hpp"
#include "node/logging/log.hpp"
#include "node/metrics/metrics.hpp"
#include "node/security/audit_log.hpp"
#include "node/security/key_ring.hpp"
#include "node/tracing/tracer.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

namespace troupe::node {

inline constexpr std::chrono::seconds audit_try_every{5}; ///< Of an audit log that has failed.

/// What stands beside the runtime and the HTTP server of a node: its configuration, log, keys,
/// audit log and metrics. Thread-safe once it is open.
class node_services {
public:
  /// Reads the keys and begins to log. `file` is read again by `reload`; empty: there is none.
  /// `log_to` must outlive this.
  /// Faults: `needs_key`, `broken_keys`, those of `key_ring::open`.
  static answer<std::unique_ptr<node_services>> open(node_config config, std::string file,
                                                     int log_to = STDERR_FILENO);

  /// What becomes of a configuration that `reload` has read, before it is looked at: what the
  /// command line says goes before it. Before this is shared.
  void adjust_reloads(std::function<node_config(node_config)> how) { adjust_ = std::move(how); }

  /// How the runtime is to be opened: with the observers of metrics and spans, and reports to the
  /// log.
  runtime_config for_runtime();
  /// Begins to send spans of jobs that have ended, if the configuration wants that. Before the
  /// runtime is closed, `stop_tracing`, which takes some seconds at most.
  void start_tracing(runtime& node);
  void stop_tracing();
  /// The trace of a job that came without one; empty if it is not to have one.
  std::string new_trace() const { return tracer_ ? tracer_->new_trace() : std::string{}; }

  /// Opens the audit log, if the configuration wants one, in the data directory that the runtime
  /// has made. Faults: those of `audit_log::open`.
  status open_audit();

  /// Who has this key; nothing if it is nobody's. Does not block.
  std::optional<principal> check(std::string_view bearer);
  /// Takes over new and revoked keys. To be called often: it looks once in `keys_poll`.
  void look_at_keys() { keys_->look(); }
  /// Writes down a change, if there is an audit log. What cannot be written is logged.
  void audit(audit_entry x);
  /// Whether a change could be written down now, if it has to be. Errors: of `audit_log::ready`.
  status may_change() const { return audit_ ? audit_->ready() : status{}; }
  /// Has an audit log that failed try again, now and then, also while nobody changes anything. To
  /// be called often, by one thread.
  void look_at_audit();

  /// Reads the configuration again and takes over what a running node can. What is wrong, and what
  /// needs a restart, is logged. True if something was taken over: `config` tells what.
  bool reload();
  /// The configuration that is in force.
  node_config config() const;

  /// Whether jobs over HTTP may have this kind.
  bool allows_kind(std::string_view kind) const;

  /// Whether a queue has one unfinished job at most, and another is refused.
  bool is_exclusive(std::string_view queue) const;
  /// The same, and another waits for its turn.
  bool has_turns(std::string_view queue) const;

  /// The metrics with what the runtime tells right now, in Prometheus' text format; `limits` beside
  /// those of the runtime. What the runtime does not tell is left out, which the log says once.
  std::string metrics_text(runtime& node, std::vector<limit_use> limits = {});

  key_ring& keys() noexcept { return *keys_; }
  node::log& log() noexcept { return *log_; }
  node::metrics& metrics() noexcept { return metrics_; }

private:
  node_services(node_config config, std::string file, int log_to);

  mutable std::mutex mutex_;
  node_config config_;
  const std::string file_;
  std::function<node_config(node_config)> adjust_;
  const bool open_to_all_; ///< Without keys everybody may do everything.
  std::unique_ptr<node::log> log_;
  node::metrics metrics_;
  std::shared_ptr<tracer> tracer_; ///< Null: spans go nowhere.
  std::unique_ptr<key_ring> keys_;
  std::unique_ptr<audit_log> audit_; ///< Null: nothing is written down.
  std::chrono::steady_clock::time_point audit_tried_{};
  std::atomic<bool> totals_fail_{false}, store_fails_{false}, load_fails_{false}; ///< Logged.
};

/// The levels that a configuration asks for.
log_levels_of levels_of(const log_config& x);

} // namespace troupe::node
