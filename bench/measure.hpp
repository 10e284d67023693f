#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace troupe::bench {

using clock = std::chrono::steady_clock;

inline double seconds_since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

/// The value below which `share` of all lie; 0.5 is the median.
inline double quantile(std::vector<double> all, double share) {
  auto at = static_cast<std::size_t>(share * static_cast<double>(all.size() - 1));
  std::ranges::nth_element(all, all.begin() + static_cast<std::ptrdiff_t>(at));
  return all[at];
}

/// One line of a table: the median of several runs with its range, and a goal.
inline void print_row(const std::string& name, const std::vector<double>& runs, const char* unit,
                      const std::string& note) {
  auto [low, high] = std::ranges::minmax(runs);
  std::printf("| %-44s | %10.2f | %10.2f…%-10.2f | %-8s | %s |\n", name.c_str(),
              quantile(runs, 0.5), low, high, unit, note.c_str());
  std::fflush(stdout);
}

} // namespace troupe::bench
