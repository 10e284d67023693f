#pragma once

#include "troupe/observer.hpp"
#include "troupe/stats.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::node {

/// What may be chosen for metrics.
struct metrics_options {
  std::size_t max_flows = 100;  ///< Names of graphs in labels; then `other`.
  std::size_t max_queues = 100; ///< Names of queues in labels; then `other`.
  std::string version{};        ///< Of `troupe_build_info`.
};

/// What became of spans since the start.
struct span_counts {
  std::uint64_t exported = 0, failed = 0; ///< Spans.
  std::uint64_t jobs_dropped = 0;         ///< Whose spans were not made.
};

/// What is read when somebody scrapes. What could not be read is nothing, and not shown: the
/// numbers of an earlier scrape, or 0, would tell of a node that is well.
struct scraped {
  std::optional<std::vector<queue_total>> totals{};
  std::optional<store_stats> store{};
  std::optional<runtime_load> load{};
  std::vector<limit_use> limits{};    ///< Beside those of the runtime.
  std::optional<span_counts> spans{}; ///< Nothing: there is no tracing.
  std::chrono::sys_time<std::chrono::milliseconds> at =
      std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
};

/// The numbers of a node, as Prometheus reads them; `docs/metrics.md` explains each. Everything has
/// bounded labels. Thread-safe; nothing blocks for long.
class metrics {
public:
  explicit metrics(const metrics_options& options = {});
  ~metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  /// For `runtime_config::observer`: what is told there is counted here. It may outlive this.
  std::shared_ptr<troupe::observer> observer() const;

  /// A request was answered. `route` is the pattern (`/v1/jobs/{id}`), never what stood there.
  void http_answered(std::string_view route, unsigned code, std::chrono::nanoseconds took);
  /// A request was refused before it had a job: `overloaded`, `too_many_connections`, …
  void rejected(std::string_view reason);
  /// Readers of event streams come (1) and go (-1).
  void stream_readers(int change);
  /// One was cut off, having taken nothing for too long.
  void stream_reader_cut();
  /// An event left for a client so long after it became durable,
  void event_queued(std::chrono::nanoseconds waited);
  /// and the client took so long to take it.
  void event_taken(std::chrono::nanoseconds took);

  /// All of it in the text format, version 0.0.4 (`text/plain; version=0.0.4`).
  std::string text(const scraped& now);

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace troupe::node
