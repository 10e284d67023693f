#include "tests/support/http_node.hpp"

#include <atomic>

using namespace troupe;

namespace {

const std::string program =
    R"({"graph":{"vertices":[{"id":"a","kind":"exec","config":{"argv":["true"]}}]}})";

/// A node where programs may be run, until they may not.
struct fixture {
  std::atomic<bool> allowed = true;
  tests::http_node node{tests::http_node::in_memory(), [this](http::api_parts& x) {
                          x.allows_kind = [this](std::string_view kind) {
                            return kind != "exec" || allowed;
                          };
                        }};
};

} // namespace

TEST_CASE_METHOD(fixture, "a kind that is no longer allowed comes in by no way", "[http][api]") {
  auto made = node.ask("POST", "/v1/jobs", program);
  REQUIRE(made.status == 201);
  auto id = made.text("id"), named = R"({"graph":")" + made.text("graph") + "\"}";
  REQUIRE(node.ask("GET", "/v1/jobs/" + id + "/result?wait=60s").status == 200);
  CHECK(node.ask("POST", "/v1/jobs", named).status == 201);
  CHECK(node.ask("POST", "/v1/jobs/" + id + ":retry").status == 201);
  allowed = false;
  for (auto& [path, body] : {std::pair<std::string, std::string>{"/v1/jobs", program},
                             {"/v1/jobs", named},
                             {"/v1/jobs/" + id + ":retry", ""}}) {
    auto refused = node.ask("POST", path, body);
    INFO(path << ' ' << body << ' ' << refused.body);
    CHECK(refused.status == 403);
    CHECK(refused.text("code") == "kind_not_allowed");
  }
  auto all = node.ask("POST", "/v1/jobs:retry?queue=default&state=completed");
  CHECK(all.status == 200);
  CHECK(*all.json().find("jobs")->integer() == 0);
  CHECK(*all.json().find("refused")->integer() > 0);
  allowed = true;
  CHECK(node.ask("POST", "/v1/jobs", named).status == 201);
  CHECK(node.ask("POST", "/v1/jobs", program).status == 201);
}

TEST_CASE_METHOD(fixture, "a kind that becomes allowed may come by the id of its graph",
                 "[http][api]") {
  auto made = node.ask("POST", "/v1/jobs", program);
  auto named = R"({"graph":")" + made.text("graph") + "\"}";
  http::api later{{node.node, [this](std::string_view) { return !allowed; }}};
  http::job_request asked;
  asked.spec.graph = *parse_graph_id(made.text("graph"));
  CHECK(std::holds_alternative<http::graph_trouble>(later.graphs.resolve({}, asked)));
  allowed = false;
  CHECK(std::holds_alternative<http::known_graph>(*later.graphs.find({}, asked)));
}
