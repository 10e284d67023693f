#pragma once

#include "node/http/api.hpp"
#include "node/http/options.hpp"
#include "node/http/server.hpp"
#include "node/node_services.hpp"

/// How the HTTP interface of a node is joined with what stands beside it.
namespace troupe::node {

/// How the server is opened: who may call, and what is told of each request. Connections that the
/// process has no files for are not taken, which the log tells. `services` must outlive it.
http::http_options http_of(const node_config& config, node_services& services);

/// What the routes of a server stand on. The others must outlive it.
http::api_parts api_of(runtime& node, const node_config& config, node_services& services,
                       const http::server& server);

/// `http://127.0.0.1:7700`.
std::string url_of(const http_config& x, std::uint16_t port);

} // namespace troupe::node
