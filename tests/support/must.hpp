#pragma once

#include "tests/support/catch.hpp"
#include "troupe/error.hpp"

namespace troupe::tests {

/// What is there; the test fails with the error if it is not.
template <class T>
T must(result<T> x) {
  if (!x)
    FAIL(to_string(x.code()) << ": " << x.error().detail);
  return std::move(*x);
}

} // namespace troupe::tests
