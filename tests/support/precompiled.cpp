// Only for the header that is compiled with it: main.cpp configures Catch2 and cannot use it.
