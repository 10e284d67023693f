#pragma once

#include "actors/store.hpp"

namespace troupe::actors {

/// As `read_store`, but looks at every page of the snapshot first. If damaged ones keep rows out of
/// reach, the rows on all others are read into memory, and `problems` tells what is lost; it is
/// empty if the snapshot can be read as it is. Files that the journal lacks at its end are such a
/// problem, too. Errors: those of `read_store`.
result<store> salvage_store(const std::filesystem::path& directory,
                            std::vector<storage::lmdb_problem>& problems);

} // namespace troupe::actors
