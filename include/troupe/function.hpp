#pragma once

#include "troupe/export.hpp"
#include "troupe/ids.hpp"
#include "troupe/value.hpp"

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

namespace troupe {

/// What a registered function is told besides its inputs.
struct function_context {
  job_id job{};
  std::string vertex{};
  std::uint32_t attempt = 1;     ///< From 1; a redelivery repeats the number.
  std::string idempotency_key{}; ///< The same for every attempt: for effects that happen once.
  value arguments{};             ///< `config.arguments` of the vertex; null if there are none.
  std::stop_token stop{};        ///< Asked for at the soft time-out and by a cancel: return soon.
  std::function<void(std::string)> log{}; ///< Text for people; an event of the job. Any thread.
  /// W3C Trace Context of the attempt; empty if its job has none, and for pure functions.
  std::string traceparent{};
};

/// What a vertex of the kind `function` calls: from the inputs (an object, a member per port, and
/// `job`) to the output. Called on any thread, on several at once. An exception is a failure of the
/// attempt: code and detail of a `failure`, else `exception` and `what()`.
using function = std::function<value(const value& inputs, function_context& context)>;

/// Throw it from a function to choose the code of the failure.
class TROUPE_EXPORT failure : public std::runtime_error {
public:
  /// `code`: short and stable, `snake_case`. `detail`: for people.
  failure(std::string code, const std::string& detail)
      : std::runtime_error(detail), code_(std::move(code)) {}

  const std::string& code() const noexcept { return code_; }

private:
  std::string code_;
};

} // namespace troupe
