#pragma once

#include "node/errors.hpp"

namespace troupe::node {

/// Of an id, for verbs that change what it names: a shorter one is a slip.
inline constexpr std::size_t change_prefix_min = 4;

/// What is wrong with how an id begins; nothing if it can be looked for. Faults: `bad_usage`.
/// Pure.
inline std::optional<trouble> unfit_prefix(std::string_view text, std::size_t least = 1) {
  if (text.size() >= least && !text.empty())
    return {};
  auto next = "`troupe jobs list` shows the ids";
  if (text.empty())
    return trouble{fault::bad_usage, "the id is empty", "an empty one fits every job", next};
  return trouble{fault::bad_usage, "the id \"" + std::string{text} + "\" is too short",
                 "what changes a job takes at least " + std::to_string(least) + " characters of it",
                 next};
}

} // namespace troupe::node
