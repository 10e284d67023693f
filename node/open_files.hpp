#pragma once

namespace troupe::node {

/// Lets this process have as many open files as the system allows it, but not the programs that it
/// runs; if the system does not, all stays.
void raise_open_files() noexcept;

} // namespace troupe::node
