#include "node/cli.hpp"

/// Read by jemalloc, if the program has it: memory that is free goes back to the system also while
/// the node is idle.
extern "C" [[gnu::visibility("default")]] const char* malloc_conf;
const char* malloc_conf = "background_thread:true";

int main(int argc, char** argv) { return troupe::node::run_cli(argc, argv); }
