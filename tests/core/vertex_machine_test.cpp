#include "core/vertex_machine.hpp"
#include "tests/support/catch.hpp"

#include <map>
#include <set>
#include <string>

using namespace troupe;
using namespace troupe::core;

namespace {

using row = std::map<std::string, std::string>;

// A pure vertex has no start record, so `ready` and `backoff` take the ends of attempts, too.
const row ends{{"succeed", "succeeded"}, {"fail", "failed"}, {"retry", "backoff"}};

row with(row more) {
  more.insert(ends.begin(), ends.end());
  return more;
}

const std::map<std::string, row> specified{
    {"waiting",
     {{"satisfy", "ready"}, {"skip", "skipped"}, {"cancel", "cancelled"}, {"reuse", "succeeded"}}},
    {"ready", with({{"start", "running"}, {"cancel", "cancelled"}, {"reuse", "succeeded"}})},
    {"running", with({{"lose", "ready"}, {"cancel", "cancelled"}})},
    {"backoff", with({{"start", "running"}, {"cancel", "cancelled"}})},
    {"succeeded", {}},
    {"failed", {}},
    {"skipped", {}},
    {"cancelled", {}},
};

const std::set<std::string> requests{"satisfy", "skip", "start",  "succeed", "fail",
                                     "retry",   "lose", "cancel", "reuse"};

} // namespace

TEST_CASE("every state of a vertex takes exactly the requests of the specification", "[core]") {
  std::set<std::string> states, seen_requests;
  for (unsigned s = 0; s < vertex_states; ++s)
    for (int r = 0; r <= int(last(vertex_request{})); ++r) {
      std::string from = to_string(vertex_state(s)), on = to_string(vertex_request(r));
      CAPTURE(from, on);
      REQUIRE(specified.contains(from));
      states.insert(from);
      seen_requests.insert(on);
      auto& row = specified.at(from);
      auto to = next(vertex_state(s), vertex_request(r));
      CHECK((to ? to_string(*to) : "refused") == (row.contains(on) ? row.at(on) : "refused"));
    }
  CHECK(states.size() == specified.size());
  CHECK(seen_requests == requests);
}

TEST_CASE("a terminal vertex state takes no request, any other takes one", "[core]") {
  const std::set<std::string> terminal_names{"succeeded", "failed", "skipped", "cancelled"};
  for (unsigned s = 0; s < vertex_states; ++s) {
    auto state = vertex_state(s);
    CAPTURE(to_string(state));
    bool takes = false;
    for (int r = 0; r <= int(last(vertex_request{})); ++r)
      takes = takes || next(state, vertex_request(r));
    CHECK(terminal(state) == terminal_names.contains(to_string(state)));
    CHECK(takes == !terminal(state));
  }
}
