#pragma once

#include <string>
#include <vector>

namespace troupe {

/// One thing that is wrong and where: an entry of `errors[]` in a problem object (RFC 9457), or
/// the error of a vertex.
struct problem {
  std::string code{};    ///< Stable and short, `snake_case`; see `docs/errors.md`.
  std::string pointer{}; ///< JSON Pointer (RFC 6901) into what was sent; empty: all of it.
  std::string detail{};  ///< For people: what is wrong and what is allowed.

  bool operator==(const problem&) const = default;
};

using problems = std::vector<problem>;

} // namespace troupe
