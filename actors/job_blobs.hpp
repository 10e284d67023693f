#pragma once

#include "actors/environment.hpp"
#include "core/job.hpp"

/// Values of a job that lie in blobs. Errors of each: `blob_missing`, `journal_corrupt`,
/// `io_failed`.
namespace troupe::actors {

/// Reads every value.
status load_blobs(core::job& x, const environment& env);

/// Reads what a job reads again; nothing if it has ended.
status load_needed(core::job& x, const environment& env);

/// Reads the job's input.
status load_input(core::job& x, const environment& env);

/// Reads what `info_of` tells: of a completed job the outputs that are its result.
status load_result(core::job& x, const environment& env);

} // namespace troupe::actors
