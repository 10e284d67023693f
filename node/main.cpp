#include "node/cli.hpp"
#include "node/standard_files.hpp"

/// Read by jemalloc, if the program has it: memory that is free goes back to the system also while
/// the node is idle.
extern "C" [[gnu::visibility("default")]] const char* malloc_conf;
const char* malloc_conf = "background_thread:true";

int main(int argc, char** argv) {
  troupe::node::keep_standard_files();
  return troupe::node::run_cli(argc, argv);
}
