#pragma once

#include "node/http/api.hpp"
#include "node/http/server.hpp"
#include "tests/support/http_client.hpp"

namespace troupe::tests {

/// A node, in memory unless it is told otherwise, and a client.
struct http_node {
  using adjust = std::function<void(http::api_parts&)>;

  using adjust_options = std::function<void(http::http_options&)>;

  explicit http_node(const runtime_config& config = in_memory(), const adjust& change = {},
                     const adjust_options& how = {})
      : node(open(config)), api(parts_of(change)), server(serve(how)), client(server->port()) {}
  ~http_node() {
    server->shut(std::chrono::seconds{5});
    api->pool.drop();
    node.close();
    api->pool.end();
  }

  static runtime_config in_memory() {
    runtime_config config;
    config.memory = true;
    return config;
  }
  static runtime open(const runtime_config& config) {
    auto opened = runtime::open(config);
    REQUIRE(opened);
    return std::move(*opened);
  }
  http::api_ptr parts_of(const adjust& change) {
    http::api_parts parts{node, [](std::string_view kind) { return kind != "exec"; }};
    if (change)
      change(parts);
    return std::make_shared<http::api>(parts);
  }
  std::unique_ptr<http::server> serve(const adjust_options& how) {
    http::http_options options;
    options.port = 0;
    options.ping_interval = std::chrono::milliseconds{100};
    if (how)
      how(options);
    auto made = http::server::open(options);
    REQUIRE(made);
    (*made)->serve(http::api_routes(api));
    return std::move(*made);
  }

  http_reply ask(const std::string& method, const std::string& target, const std::string& body = {},
                 const std::string& fields = {}) {
    return client.ask(method, target, body, fields);
  }
  std::string submit(const std::string& body) {
    auto made = ask("POST", "/v1/jobs", body);
    INFO(made.body);
    REQUIRE(made.status == 201);
    return made.text("id");
  }
  /// Looks until `fact` holds. False: it did not within the patience.
  static bool eventually(const std::function<bool()>& fact) {
    auto until = std::chrono::steady_clock::now() + http_patience;
    while (!fact()) {
      if (std::chrono::steady_clock::now() > until)
        return false;
      ::poll(nullptr, 0, 1);
    }
    return true;
  }
  /// A job that has ended.
  std::string ended(const std::string& body) {
    auto id = submit(body);
    REQUIRE(ask("GET", "/v1/jobs/" + id + "/result?wait=60s").status == 200);
    return id;
  }

  runtime node;
  http::api_ptr api;
  std::unique_ptr<http::server> server;
  http_client client;
};

} // namespace troupe::tests
