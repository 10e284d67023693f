#pragma once

// Catch2 3 split its header; Debian 12 has 2.13, where one header is all.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using namespace Catch::Generators;
#else
#include <catch2/catch.hpp>
#endif
