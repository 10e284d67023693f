#pragma once

#include "troupe/ids.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// W3C Trace Context, level 1: which trace a job belongs to. It is kept as a label of the job, so
/// that it is durable with it and every way to make a job can give one.
namespace troupe::core {

/// The label that holds it.
inline constexpr const char* trace_label = "traceparent";

/// A trace, and the span in it that what follows is a part of.
struct trace_context {
  std::array<std::uint8_t, 16> trace{};
  std::uint64_t span = 0;
  bool sampled = false; ///< Somebody wants its spans.
  bool operator==(const trace_context&) const = default;
};

/// Reads `00-TRACE-SPAN-FLAGS`; of a later version what this one knows. Nothing if it is malformed.
std::optional<trace_context> parse_trace(std::string_view text);

/// The same as text, in version 00.
std::string to_text(const trace_context& x);

/// The span of a job, of one of its vertices, of one attempt: always the same one, in every process
/// and after a restart. Never zero.
std::uint64_t span_of(job_id job, std::string_view vertex = {}, std::uint32_t attempt = 0) noexcept;

/// What an attempt is told of its trace, as text: its own span is the parent of all it calls.
/// Empty if the labels name no trace.
std::string trace_of_attempt(const std::map<std::string, std::string>& labels, job_id job,
                             std::string_view vertex, std::uint32_t attempt);

} // namespace troupe::core
