#pragma once

namespace troupe::node {

/// Lets this process have as many open files as the system allows it; if it does not, all stays.
void raise_open_files() noexcept;

} // namespace troupe::node
