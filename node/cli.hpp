#pragma once

namespace troupe::node {

/// The program `troupe`: reads its arguments, does what they say, returns the exit code. Call it
/// once, from `main`.
int run_cli(int argc, char** argv);

} // namespace troupe::node
