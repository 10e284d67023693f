#pragma once

#include "troupe/runtime.hpp"

/// Whether a runtime is well.
namespace troupe::http {

/// Asks the runtime's shards for jobs that nobody has, as a reader would; at most 64 of them.
/// `then` is called once, when all have answered, on a thread of the runtime; if it hangs, never.
/// Errors: `journal_failed`, `not_ready`, and whatever else keeps a shard from answering.
void probe(runtime& node, runtime::changed then);

/// The same, and waits at most `limit`. Errors: also `timed_out`.
status probe(runtime& node, std::chrono::milliseconds limit);

} // namespace troupe::http
