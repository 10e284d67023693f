#pragma once

namespace troupe::node {

/// Puts something in the place of standard input, output or error that the caller has closed: else
/// the next file that is opened gets its number, and what is said is written into that. Reading the
/// input and writing the output fail then; what goes to standard error is lost. Before anything is
/// opened.
void keep_standard_files() noexcept;

} // namespace troupe::node
