#include "node/cli.hpp"

int main(int argc, char** argv) { return troupe::node::run_cli(argc, argv); }
