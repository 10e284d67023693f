#pragma once

#include "tests/support/catch.hpp"
#include "troupe/ids.hpp"

#include <map>
#include <set>
#include <sstream>
#include <string>

namespace troupe::tests {

/// What `troupe-load-host load` has told, over all its lives.
class promises {
public:
  void take(const std::string& told) {
    std::istringstream lines{told.substr(0, told.rfind('\n') + 1)};
    for (std::string what, first; lines >> what;) {
      if (what == "ready")
        continue;
      REQUIRE(lines >> first);
      if (what == "+")
        acknowledge(std::stoll(first), lines);
      else if (what == "-")
        may_be_gone.insert(*parse_job_id(first));
      else if (what == "gone")
        gone.insert(*parse_job_id(first));
    }
  }

  /// The first number that was not acknowledged; those behind it may have been.
  std::int64_t next() const {
    auto n = acknowledged.empty() ? 0 : acknowledged.rbegin()->first + 1;
    for (auto back = n - 8; back >= 0 && back < n; ++back)
      if (!acknowledged.contains(back))
        return back;
    return n;
  }

  std::map<std::int64_t, job_id> acknowledged;
  std::set<job_id> may_be_gone, gone;

private:
  void acknowledge(std::int64_t n, std::istream& lines) {
    std::string id;
    REQUIRE(lines >> id);
    auto [at, fresh] = acknowledged.emplace(n, *parse_job_id(id));
    CAPTURE(n);
    CHECK(at->second == *parse_job_id(id)); // The same request is the same job, across crashes.
  }
};

} // namespace troupe::tests
