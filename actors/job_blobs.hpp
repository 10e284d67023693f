#pragma once

#include "actors/environment.hpp"
#include "core/job.hpp"

/// Parts of a job that lie in blobs. Each errs as `load_blobs`, which reads all of them.
namespace troupe::actors {

/// Reads the job's input.
status load_input(core::job& x, const environment& env);

/// Reads what `info_of` tells: of a completed job the outputs that are its result.
status load_result(core::job& x, const environment& env);

} // namespace troupe::actors
