#include "graph_json/value_json.hpp"
#include "node/security/key_ring.hpp"
#include "tests/support/http_node.hpp"
#include "tests/support/temp_dir.hpp"

#include <fstream>
#include <future>
#include <mutex>

using namespace troupe;
using tests::http_client;
using tests::http_node;
using tests::http_reply;

namespace {

constexpr core::shard_time some_time{std::chrono::milliseconds{1'700'000'000'000}};

std::string text_in(const value& x, std::string_view key) {
  auto found = x.find(key);
  return found && found->string() ? *found->string() : "";
}

/// Keys in a file that was not there.
struct key_place {
  tests::temp_dir directory;
  std::filesystem::path file = directory.path() / "data" / "keys.json";
  std::unique_ptr<node::key_ring> ring = open();
  std::mutex mutex;
  std::vector<std::string> audited; ///< `METHOD status result`.

  std::unique_ptr<node::key_ring> open() const {
    auto made = node::key_ring::open(file);
    REQUIRE(made);
    return std::move(*made);
  }
  void guard(http::http_options& to) {
    to.authenticate = [this](std::string_view key) -> result<node::principal> {
      if (auto who = ring->check(key, true))
        return *who;
      return error{ec::invalid_spec, "no key"};
    };
    to.audit = [this](const http::served& x) {
      std::scoped_lock lock{mutex};
      audited.push_back(std::string{x.method} + " " + std::to_string(x.status) + " "
                        + std::string{x.done});
    };
  }
};

/// Keeps an answer, and who is to be told that nobody got it.
struct kept_answer : http::answer_sink {
  std::promise<http::response> came;
  std::function<void(http::unwanted)> told;

  void answer(http::response x) override { came.set_value(std::move(x)); }
  void when_unwanted(std::function<void(http::unwanted)> x) override { told = std::move(x); }
  void after(std::chrono::milliseconds, std::function<void()>) override {}
};

std::string bearer(const std::string& key) { return "Authorization: Bearer " + key + "\r\n"; }

/// A node on loopback that has no key yet.
struct keys_node : key_place, http_node {
  keys_node()
      : http_node(
          in_memory(), [this](http::api_parts& parts) { parts.keys = ring.get(); },
          [this](http::http_options& to) { guard(to); }) {}

  http_reply as(const std::string& key, const std::string& method, const std::string& target,
                const std::string& body = {}) {
    http_client other{server->port()};
    return other.ask(method, target, body, bearer(key));
  }
  /// A key as the file's verbs make it.
  std::string made(node::role what, namespace_id ns = {}) {
    auto x = node::create_key(file, what, "n", ns, some_time);
    REQUIRE(x);
    ring->refresh_changed();
    return x->text;
  }
  std::vector<std::string> ids(const std::string& key) {
    auto told = as(key, "GET", "/v1/keys").json();
    std::vector<std::string> all;
    for (auto& x : *told.find("keys")->items())
      all.push_back(text_in(x, "id"));
    return all;
  }
};

std::string id_of(const std::string& key) { return std::string{node::id_of_key(key)}; }

} // namespace

TEST_CASE_METHOD(keys_node, "a key that is made over HTTP opens the node at once, until revoked",
                 "[http][keys]") {
  auto admin = made(node::role::admin);
  auto reply = as(admin, "POST", "/v1/keys", R"({"role":"viewer","name":"ci"})");
  INFO(reply.body);
  REQUIRE(reply.status == 201);
  CHECK(reply.fields["cache-control"] == "no-store");
  auto key = reply.text("key");
  CHECK(reply.text("id") == id_of(key));
  CHECK(reply.text("role") == "viewer");
  CHECK(reply.text("name") == "ci");
  CHECK(*reply.json().find("namespace") == value{0});
  CHECK(as(key, "GET", "/v1/jobs").status == 200);
  CHECK(as(key, "POST", "/v1/jobs", "{}").status == 403);

  CHECK(as(admin, "DELETE", "/v1/keys/" + id_of(key)).status == 204);
  CHECK(as(key, "GET", "/v1/jobs").status == 401);
  CHECK(ids(admin) == std::vector{id_of(admin)});
  auto again = as(admin, "DELETE", "/v1/keys/" + id_of(key));
  CHECK(again.status == 404);
  CHECK(again.text("code") == "no_such_key");
}

TEST_CASE_METHOD(keys_node, "a key that is revoked ends its streams, and gets no work any more",
                 "[http][keys][revoke]") {
  ring->when_changed([this] { server->check_keys(); });
  auto admin = made(node::role::admin), viewer = made(node::role::viewer);
  auto worker = made(node::role::worker), other_worker = made(node::role::worker);
  auto job = as(admin, "POST", "/v1/jobs",
                R"({"graph":{"vertices":[{"id":"a","kind":"delay","config":{"for":"1h"}}]}})")
                 .text("id");
  http_client reader{server->port()}, fetcher{server->port()};
  reader.send(reader.text_of("GET", "/v1/jobs/" + job + "/events", "", bearer(viewer)));
  CHECK(reader.read_head().status == 200);
  const std::string fetch = R"({"queues":["q"],"wait":"60s"})";
  fetcher.send(fetcher.text_of("POST", "/v1/work:fetch", fetch, bearer(worker)));
  CHECK(eventually([&] {
    auto load = std::make_shared<std::promise<std::uint64_t>>();
    node.load(
        [load](const result<runtime_load>& x) { load->set_value(x ? x->waiting_workers : 0); });
    return load->get_future().get() == 1;
  }));

  CHECK(as(admin, "DELETE", "/v1/keys/" + id_of(viewer)).status == 204);
  auto last = reader.read_last_chunk();
  CHECK(last.find("event: closing\ndata: {\"data\":{\"reason\":\"revoked\"}") != last.npos);
  CHECK(reader.ends());

  CHECK(as(admin, "DELETE", "/v1/keys/" + id_of(worker)).status == 204);
  CHECK(
      as(admin, "POST", "/v1/jobs",
         R"({"queue":"q","graph":{"vertices":[{"id":"a","kind":"worker","config":{"task":"t"}}]}})")
          .status
      == 201);
  auto refused = fetcher.read();
  CHECK(refused.status == 401);
  CHECK(refused.text("code") == "no_key");
  auto work = as(other_worker, "POST", "/v1/work:fetch", fetch).json();
  auto& items = *work.find("work")->items();
  REQUIRE(items.size() == 1); // At once: nobody had it.
  CHECK(*items[0].find("attempt") == value{1});
  ring->when_changed({});
}

TEST_CASE_METHOD(keys_node, "a list of keys tells nothing that is secret", "[http][keys]") {
  auto admin = made(node::role::admin), viewer = made(node::role::viewer);
  auto list = as(admin, "GET", "/v1/keys");
  CHECK(list.status == 200);
  for (auto& key : {admin, viewer})
    CHECK(list.body.find(key.substr(13)) == std::string::npos);
  auto there = *node::read_keys(file);
  auto told = list.json();
  for (auto& x : there)
    CHECK(list.body.find(storage::to_hex(x.hash)) == std::string::npos);
  for (auto& x : *told.find("keys")->items())
    CHECK(x.members()->size() == 5);
  CHECK(ids(admin) == std::vector{id_of(admin), id_of(viewer)});
}

TEST_CASE_METHOD(keys_node, "only admins manage keys, and only those of their namespace",
                 "[http][keys]") {
  auto admin = made(node::role::admin), other = made(node::role::admin, namespace_id{7});
  for (auto what : {node::role::viewer, node::role::worker, node::role::operator_}) {
    auto key = made(what);
    CHECK(as(key, "GET", "/v1/keys").status == 403);
    CHECK(as(key, "POST", "/v1/keys", R"({"role":"viewer"})").status == 403);
    CHECK(as(key, "DELETE", "/v1/keys/" + id_of(key)).status == 403);
  }
  CHECK(ids(other) == std::vector{id_of(other)});
  CHECK(as(other, "DELETE", "/v1/keys/" + id_of(admin)).status == 404);
  CHECK(as(admin, "GET", "/v1/keys").status == 200);
  auto foreign = as(other, "POST", "/v1/keys", R"({"role":"viewer","namespace":0})");
  CHECK(foreign.status == 403);
  CHECK_THAT(foreign.text("detail"), Catch::Contains("namespace 7"));
  auto own = as(other, "POST", "/v1/keys", R"({"role":"viewer"})");
  CHECK(own.status == 201);
  CHECK(*own.json().find("namespace") == value{7});
  CHECK(as(other, "POST", "/v1/keys", R"({"role":"viewer","namespace":7})").status == 201);
}

TEST_CASE_METHOD(keys_node, "nobody locks everybody out", "[http][keys]") {
  auto first = ask("POST", "/v1/keys", R"({"role":"operator"})");
  CHECK(first.status == 409);
  CHECK(first.text("code") == "locks_out");
  CHECK_FALSE(ring->has_keys());
  auto admin = ask("POST", "/v1/keys", R"({"role":"admin"})").text("key");
  CHECK(ask("GET", "/v1/keys").status == 401); // From now on everybody needs one.
  auto own = as(admin, "DELETE", "/v1/keys/" + id_of(admin));
  CHECK(own.status == 409);
  CHECK(own.text("code") == "locks_out");
  CHECK(ids(admin).size() == 1);
}

TEST_CASE_METHOD(keys_node, "of two admins who revoke each other at once one is left",
                 "[http][keys]") {
  for (int round = 0; round < 10; ++round) {
    auto left = made(node::role::admin), right = made(node::role::admin);
    http_client one{server->port()}, two{server->port()};
    auto revoke = [](http_client& from, const std::string& key, const std::string& other) {
      REQUIRE(from.send(from.text_of("DELETE", "/v1/keys/" + id_of(other), "", bearer(key))));
    };
    revoke(one, left, right); // Nobody waits for an answer: the server's threads meet.
    revoke(two, right, left);
    auto first = one.read().status, second = two.read().status;
    CHECK(std::min(first, second) == 204);
    CHECK(std::max(first, second) == 401);
    auto there = *node::read_keys(file);
    REQUIRE(there.size() == 1);
    REQUIRE(node::revoke_key(file, there[0].id));
    ring->refresh_changed();
  }
}

TEST_CASE_METHOD(keys_node, "a malformed key is refused with its places", "[http][keys]") {
  auto admin = made(node::role::admin);
  auto pointer = [&](const std::string& body) {
    auto x = as(admin, "POST", "/v1/keys", body);
    INFO(x.body);
    REQUIRE(x.status == 422);
    return text_in(x.json().find("errors")->items()->at(0), "pointer");
  };
  CHECK(pointer(R"({"role":"root"})") == "/role");
  CHECK(pointer(R"({"role":"viewer","name":"a b"})") == "/name");
  CHECK(pointer(R"({"role":"viewer","namespace":-1})") == "/namespace");
  CHECK(pointer(R"({"role":"viewer","secret":"x"})") == "/secret");
  CHECK(as(admin, "POST", "/v1/keys", "{}").status == 422);
  CHECK(as(admin, "POST", "/v1/keys", "{").status == 400);
  CHECK(as(admin, "GET", "/v1/keys?limit=1").status == 400);
  CHECK(ids(admin).size() == 1);
}

TEST_CASE_METHOD(keys_node, "changes of keys are written down, without secrets", "[http][keys]") {
  auto admin = made(node::role::admin);
  auto key = as(admin, "POST", "/v1/keys", R"({"role":"viewer","name":"ci"})").text("key");
  as(admin, "DELETE", "/v1/keys/" + id_of(admin));
  as(admin, "DELETE", "/v1/keys/" + id_of(key));
  server->shut(std::chrono::seconds{5}); // All is told.
  CHECK(audited
        == std::vector<std::string>{"POST 201 key " + id_of(key) + ", viewer, ci", "DELETE 409 ",
                                    "DELETE 204 "});
}

TEST_CASE_METHOD(keys_node, "a file of keys that is damaged is told, and nothing changes",
                 "[http][keys]") {
  auto admin = made(node::role::admin);
  std::ofstream{file} << "{";
  CHECK(as(admin, "GET", "/v1/keys").status == 500);
  CHECK(as(admin, "POST", "/v1/keys", R"({"role":"viewer"})").status == 500);
  CHECK(tests::read_file(file) == "{");
}

TEST_CASE_METHOD(http_node, "a node without keys says so", "[http][keys]") {
  CHECK(ask("GET", "/v1/keys").status == 404);
}

TEST_CASE_METHOD(keys_node, "every family of routes says that too much waits, as the page does",
                 "[http][api]") {
  const std::string graph = R"({"vertices":[{"id":"a","kind":"noop"}]})",
                    large(limits::http_small_body_bytes, 'x');
  auto job = submit(R"({"graph":)" + graph + "}");
  auto page = ask("GET", "/v1/openapi.json").json();
  api->pool.drop();
  struct call {
    std::string method, path, target, body;
  };
  for (auto& x : std::vector<call>{
           {"post", "/v1/jobs", "/v1/jobs", R"({"graph":{"name":"new",)" + graph.substr(1) + "}"},
           {"get", "/v1/jobs", "/v1/jobs", ""},
           {"get", "/v1/jobs/{job}/vertices", "/v1/jobs/" + job + "/vertices", ""},
           {"post", "/v1/graphs", "/v1/graphs", graph},
           {"get", "/v1/graphs", "/v1/graphs", ""},
           {"put", "/v1/blobs/{hash}", "/v1/blobs/" + std::string(64, '0'), "x"},
           {"post", "/v1/keys", "/v1/keys", R"({"role":"admin"})"},
           {"post", "/v1/work:complete", "/v1/work:complete", R"({"token":")" + large + "\"}"},
           {"post", "/api/v1/build/{flow}/flow", "/api/v1/build/f/flow", R"({"data":{}})"},
           {"get", "/api/v1/build/{job}/events", "/api/v1/build/" + job + "/events", ""},
           {"post", "/api/tasks/submit", "/api/tasks/submit",
            R"({"session_id":"s","task_description":"t","llm_profile_name":"p"})"},
           {"get", "/api/tasks", "/api/tasks", ""},
           {"get", "/v1/stats", "/v1/stats", ""}}) {
    INFO(x.method << ' ' << x.target);
    auto method = x.method;
    std::ranges::transform(method, method.begin(), [](char c) { return char(c - 'a' + 'A'); });
    http_client other{server->port()}; // A body that is not read ends a connection.
    auto got = other.ask(method, x.target, x.body);
    CHECK(got.status == 429);
    CHECK(got.fields.contains("retry-after"));
    CHECK(got.text("code") == "overloaded");
    auto told = page.find("paths")->find(x.path);
    REQUIRE(told);
    CHECK(told->find(x.method)->find("responses")->find("429"));
  }
}

TEST_CASE_METHOD(http_node, "work whose worker did not get the answer is for the next one at once",
                 "[http][keys][work]") {
  submit(R"({"graph":{"vertices":[{"id":"a","kind":"worker","config":{"task":"t"}}]}})");
  auto routes = http::api_routes(api);
  auto to = std::ranges::find(routes, "/v1/work:fetch", &http::route::path);
  REQUIRE(to != routes.end());
  const std::string asks = R"({"wait":"30s","lease":"24h"})";
  std::string token;
  for (auto why : {http::unwanted::revoked, http::unwanted::gone, http::unwanted::closing}) {
    auto sink = std::make_shared<kept_answer>();
    http::request in;
    in.method = "POST";
    in.body = asks;
    to->act(std::make_shared<http::call>(http::call{std::move(in), http::responder{sink}}));
    auto came = sink->came.get_future();
    REQUIRE(came.wait_for(tests::http_patience) == std::future_status::ready);
    auto work = graph_json::parse_value(came.get().body);
    REQUIRE((work && work->find("work")->items()->size() == 1));
    auto& item = work->find("work")->items()->at(0);
    CHECK(text_in(item, "token") != std::exchange(token, text_in(item, "token")));
    CHECK(*item.find("attempt")->integer() == 1);
    sink->told(why); // Its key is revoked in this moment, or it is gone.
  }
  // A node that is about to end still gives its answers.
  auto held = ask("POST", "/v1/work:heartbeat", R"({"tokens":[")" + token + "\"]}");
  CHECK(text_in(held.json().find("leases")->items()->at(0), "state") == "held");
  CHECK(ask("POST", "/v1/work:complete", R"({"token":")" + token + "\"}").status == 204);
}
