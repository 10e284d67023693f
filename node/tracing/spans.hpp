#pragma once

#include "core/trace.hpp"
#include "troupe/event.hpp"
#include "troupe/job_spec.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe::node {

inline constexpr std::size_t spans_of_job_max = 10'000; ///< Of what is more, only the number.

/// Something that took time, as OTLP has it.
struct span {
  std::array<std::uint8_t, 16> trace{};
  std::uint64_t id = 0;
  std::uint64_t parent = 0; ///< Zero: none.
  std::string name{};
  time_point begin{}, end{};
  value::object attributes{}; ///< Strings and integers.
  std::string error{};        ///< Why it failed; empty: it did not.
  bool operator==(const span&) const = default;
};

/// A trace that begins here: its parent is none.
core::trace_context root_trace(std::uint64_t high, std::uint64_t low);

/// Makes the spans of a job that has ended of its events: one for the job, for each vertex that
/// ran, and for each attempt of it. Pure, and the same for the same job in every process.
class job_spans {
public:
  job_spans(const job_info& job, const core::trace_context& in);

  /// Takes the job's events, in their order.
  void add(const event& x);

  /// All of them, the job's first.
  std::vector<span> take() &&;

private:
  span& span_at(const std::string& vertex, std::uint32_t attempt, time_point begin);
  void begin(const std::string& vertex, std::uint32_t attempt, const event& x);
  void end(const std::string& vertex, std::uint32_t attempt, const event& x);

  job_info job_;
  core::trace_context trace_;
  std::vector<span> spans_;
  std::map<std::pair<std::string, std::uint32_t>, std::size_t> places_; ///< 0: of the vertex.
  std::int64_t left_out_ = 0;
};

/// What tells a collector of spans: the body of an OTLP/HTTP request in JSON.
std::string otlp_json(const std::vector<span>& spans, const std::string& service,
                      const std::string& version);

} // namespace troupe::node
