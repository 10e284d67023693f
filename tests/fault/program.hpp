#pragma once

#include "tests/e2e/json.hpp"
#include "tests/e2e/process.hpp"
#include "tests/support/sanitized.hpp"

#include <cstdlib>
#include <iostream>
#include <random>

namespace troupe::tests {

/// A number from the environment, or `otherwise`.
inline std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  auto set = std::getenv(name);
  return set && *set ? std::strtoull(set, nullptr, 0) : otherwise;
}

/// `TROUPE_SEED` or a new seed; printed, so that a failure can be repeated.
inline std::uint64_t chosen_seed(const char* of) {
  auto seed = setting("TROUPE_SEED", std::random_device{}());
  std::cout << of << ": TROUPE_SEED=" << seed << std::endl;
  return seed;
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

/// Whether it was refused with an error of this number that says why and what to try.
inline bool refused(const outcome& x, const std::string& number, int code = 6) {
  return x.code == code && has(x.err, "error[" + number + "]: ") && has(x.err, "\nwhy: ")
         && has(x.err, "\ntry: ");
}

/// Whether it ended well or told what is wrong; anything else is a crash.
inline bool ended_in_order(const outcome& x) {
  return x.code == 0 || (x.code < 128 && has(x.err, "error[E"));
}

/// Whether a process but this one works in the directory, or carries `NAME=value` in its
/// environment. (Helpers of `jq` have no environment, and work where their node does.)
inline bool anyone_left(const fs::path& directory, const std::string& mark) {
  std::error_code code;
  for (fs::directory_iterator at{"/proc", code}, end; at != end; at.increment(code)) {
    auto name = at->path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos || name == std::to_string(::getpid()))
      continue;
    auto cwd = fs::read_symlink(at->path() / "cwd", code);
    auto environment = '\0' + read_file(at->path() / "environ");
    if ((!code && cwd == directory) || has(environment, '\0' + mark + '\0'))
      return true;
  }
  return false;
}

/// The jobs of a data directory; nothing if it cannot be read.
inline value::list jobs_in(const scratch& in, const std::string& data = ".troupe") {
  auto listed = troupe_with(in, {"jobs", "list", "--data", data, "-o", "json"});
  if (listed.code != 0)
    return {};
  return *json_of(listed.out).items();
}

/// All that was ever told of a job, as lines.
inline outcome history_of(const scratch& in, const std::string& job,
                          const std::string& data = ".troupe") {
  return troupe_with(in, {"jobs", "logs", job, "--all", "--data", data, "-o", "ndjson"});
}

} // namespace troupe::tests
