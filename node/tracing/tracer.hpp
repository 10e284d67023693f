#pragma once

#include "node/tracing/spans.hpp"
#include "troupe/runtime.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe::node {

/// What may be chosen for tracing.
struct tracing_options {
  std::string service = "troupe"; ///< The name that spans tell of.
  std::string version{};          ///< Of this program.
  unsigned sample_percent = 100;  ///< Of jobs that come without a trace.
  std::size_t jobs_waiting_max = 10'000;
  std::size_t batch_spans = 1'000;             ///< Or somewhat more, of one job, in a request.
  std::chrono::milliseconds send_time{5'000};  ///< For one request.
  std::chrono::milliseconds repeat_after{500}; ///< Doubled each time.
  unsigned sends_max = 4;                      ///< Of the same spans; then they are given up.
};

/// What a tracer has done.
struct tracing_stats {
  std::uint64_t spans_exported = 0;
  std::uint64_t spans_failed = 0; ///< The collector did not take them.
  std::uint64_t jobs_dropped = 0; ///< Too many waited, or the job could not be read any more.
};

/// Sends the spans of jobs to a collector, once they have ended. All it does happens on a thread of
/// its own: a collector that is slow or gone costs spans, never jobs. Thread-safe.
class tracer {
public:
  using send = std::function<status(const std::string& json, std::chrono::milliseconds limit)>;
  using report = std::function<void(const std::string&)>;

  /// `to` sends one request, as `otlp_sender::send`; `told` hears what goes wrong, for people.
  tracer(tracing_options options, send to, report told);
  ~tracer();
  tracer(const tracer&) = delete;
  tracer& operator=(const tracer&) = delete;

  /// For `runtime_config::observer`: keeps in mind which jobs have ended.
  std::shared_ptr<troupe::observer> observer() const;

  /// Begins to send what ended jobs tell of; `from` must be there until `stop`.
  void start(runtime& from);
  /// Sends what it can in this time and ends.
  void stop(std::chrono::milliseconds limit);

  /// The trace of a job that came without one; empty if it is not to have one.
  std::string new_trace() const;

  tracing_stats stats() const;

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace troupe::node
