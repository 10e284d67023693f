#include "core/job_machine.hpp"
#include "core/state_names.hpp"
#include "tests/support/catch.hpp"

#include <map>
#include <set>
#include <string>

using namespace troupe;
using namespace troupe::core;

namespace {

// Written from ARCHITECTURE, section 6, in words of its own: by state, what each request leads to.
using row = std::map<std::string, std::string>;

const std::map<std::string, row> specified{
    {"pending",
     {{"start", "running"},
      {"pause", "paused"},
      {"expire", "failed"},
      {"cancel", "cancelling"},
      {"stop", "stopping"}}},
    {"running",
     {{"complete", "completed"},
      {"fail", "failed"},
      {"pause", "paused"},
      {"cancel", "cancelling"},
      {"stop", "stopping"}}},
    {"paused",
     {{"resume", "running"},
      {"requeue", "pending"},
      {"complete", "completed"},
      {"fail", "failed"},
      {"cancel", "cancelling"},
      {"stop", "stopping"}}},
    {"cancelling", {{"ended", "cancelled"}, {"stop", "stopping"}}},
    {"stopping", {{"ended", "stopped"}}},
    {"completed", {}},
    {"failed", {}},
    {"cancelled", {}},
    {"stopped", {}},
};

const std::set<std::string> requests{"start", "pause",  "resume", "requeue", "complete",
                                     "fail",  "expire", "cancel", "stop",    "ended"};

} // namespace

TEST_CASE("every state of a job takes exactly the requests of the specification", "[core]") {
  std::set<std::string> states, seen_requests;
  for (int s = 0; s <= int(last(job_state{})); ++s)
    for (int r = 0; r <= int(last(job_request{})); ++r) {
      std::string from = to_string(job_state(s)), on = to_string(job_request(r));
      CAPTURE(from, on);
      REQUIRE(specified.contains(from));
      states.insert(from);
      seen_requests.insert(on);
      auto& row = specified.at(from);
      auto to = next(job_state(s), job_request(r));
      CHECK((to ? to_string(*to) : "refused") == (row.contains(on) ? row.at(on) : "refused"));
    }
  CHECK(states.size() == specified.size()); // Each has a name of its own.
  CHECK(seen_requests == requests);
}

TEST_CASE("a terminal job state takes no request, any other takes one", "[core]") {
  const std::set<std::string> ends{"completed", "failed", "cancelled", "stopped"};
  for (int s = 0; s <= int(last(job_state{})); ++s) {
    auto state = job_state(s);
    CAPTURE(to_string(state));
    bool takes = false;
    for (int r = 0; r <= int(last(job_request{})); ++r)
      takes = takes || next(state, job_request(r));
    CHECK(terminal(state) == ends.contains(to_string(state)));
    CHECK(takes == !terminal(state));
  }
}

TEST_CASE("numbers of job states in records stay what they were", "[core][golden]") {
  const char* names[]{"pending",   "running", "paused",    "cancelling", "stopping",
                      "completed", "failed",  "cancelled", "stopped"};
  for (std::size_t i = 0; i < std::size(names); ++i)
    CHECK(std::string{to_string(job_state(i))} == names[i]);
  CHECK(int(last(job_state{})) + 1 == std::size(names));
}

TEST_CASE("states of jobs are found by their names", "[core]") {
  auto names = job_state_names();
  REQUIRE(names.size() == std::size_t(last(job_state{})) + 1);
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(names[i] == to_string(job_state(i)));
    CHECK(parse_job_state(names[i]) == job_state(i));
  }
  for (auto wrong : {"", "Running", "unfinished", "stopped "})
    CHECK_FALSE(parse_job_state(wrong));
}
