#pragma once

#include <cstdint>

/// What `jq_runner` and its helper processes say to each other over two pipes. Numbers are of the
/// machine's own byte order: both ends are one build on one machine.
namespace troupe::actors::jq_frames {

/// Before a request: the program's bytes, then the input's, follow.
struct request_header {
  std::uint32_t program_bytes = 0, input_bytes = 0;
};

/// What became of a request.
enum class outcome : std::uint32_t {
  output,        ///< The single output as JSON; `null` if there was none.
  compile_error, ///< The compiler's messages.
  error,         ///< The message of the program's error.
  many_outputs,  ///< Nothing: there was a second output.
};

/// Before an answer: its text follows.
struct answer_header {
  outcome how = outcome::output;
  std::uint32_t bytes = 0;
};

/// The exit code of a helper that ran out of memory.
inline constexpr int memory_exit_code = 42;

} // namespace troupe::actors::jq_frames
