#pragma once

#include "tests/fault/program.hpp"

namespace troupe::tests {

/// Programs that are started while this is there have `fault_shim.cpp` loaded, with one setting.
class shim {
public:
  shim(const fs::path& below, const char* name, const std::string& setting) : name_(name) {
    if (auto set = ::getenv("ASAN_OPTIONS"))
      asan_options_ = set;
    ::setenv("ASAN_OPTIONS", (asan_options_ + ":verify_asan_link_order=0").c_str(), 1);
    ::setenv("LD_PRELOAD", TROUPE_FAULT_SHIM, 1);
    ::setenv("TROUPE_SHIM_BELOW", below.c_str(), 1);
    ::setenv(name_, setting.c_str(), 1);
  }
  ~shim() {
    for (auto set : {"LD_PRELOAD", "TROUPE_SHIM_BELOW", name_})
      ::unsetenv(set);
    ::setenv("ASAN_OPTIONS", asan_options_.c_str(), 1);
  }
  shim(const shim&) = delete;
  shim& operator=(const shim&) = delete;

private:
  const char* name_;
  std::string asan_options_;
};

/// Runs `troupe`, which gets SIGKILL instead of its n-th change of a file below a directory.
inline outcome dies_at(const scratch& in, const fs::path& below, std::uint64_t n,
                       std::vector<std::string> arguments) {
  shim loaded{below, "TROUPE_SHIM_DIES_AT", std::to_string(n)};
  return troupe_with(in, std::move(arguments));
}

inline constexpr int killed = 128 + SIGKILL;

/// Calls `each` with numbers of steps, in order: the first ones all, then more and more seldom, by
/// the seed. Until `each` says that no step was left to die at; how many it died at.
template <class Each>
std::uint64_t each_step(std::mt19937_64& random, Each each) {
  constexpr std::uint64_t all_below = 24, share = 8;
  std::uint64_t died = 0;
  for (std::uint64_t n = 1; each(n); ++died)
    n += n < all_below ? 1 : 1 + random() % (n / share);
  return died;
}

} // namespace troupe::tests
