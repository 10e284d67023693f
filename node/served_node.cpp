#include "node/served_node.hpp"

#include "node/open_files.hpp"
#include "node/readiness.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

result<principal> caller_of(node_services& services, std::string_view key) {
  if (auto who = services.check(key))
    return std::move(*who);
  return error{ec::invalid_spec, key.empty() ? "this node takes no calls without a key"
                                             : "the key is not one of this node's"};
}

http::exclusive_rule rule_of(const node_services& services, std::string_view queue) {
  if (services.is_exclusive(queue))
    return http::exclusive_rule::refuse;
  return services.has_turns(queue) ? http::exclusive_rule::wait : http::exclusive_rule::none;
}

void write_audit(node_services& services, const http::served& x) {
  audit_entry entry;
  entry.who = *x.who;
  entry.act = std::string{x.method} + " " + std::string{x.route};
  entry.target = x.target;
  entry.outcome = x.gone ? audit_gone : x.status < 400 ? audit_ok : std::to_string(x.status);
  entry.request = x.request_id;
  entry.peer = x.peer;
  entry.result = x.done;
  services.audit(std::move(entry));
}

void observe(node_services& services, const http::served& x) {
  services.metrics().http_answered(x.route.empty() ? "other" : x.route,
                                   static_cast<unsigned>(x.status), x.took);
  auto level = x.status >= 500 ? log_level::warn : log_level::debug;
  auto& log = services.log();
  if (log.wants(level, "http"))
    log.say(level, "http",
            std::string{x.method} + " " + std::string{x.path} + " " + std::to_string(x.status),
            {{"job", x.job == job_id{} ? std::string{} : to_string(x.job)},
             {"request", x.request_id},
             {"peer", x.peer}});
}

void tell_cut(node_services& services, std::string_view request, job_id job) {
  services.metrics().stream_reader_cut();
  services.log().say(log_level::warn, "http",
                     "a reader of events was cut off: it took nothing for too long",
                     {{"request", request}, {"job", to_string(job)}});
}

std::set<std::string> lowered(const std::vector<std::string>& names) {
  std::set<std::string> all;
  for (auto& x : names)
    all.insert(http::lowered(x));
  return all;
}

/// One body always finds room in it.
std::size_t bodies_bytes_max(const http_config& x) {
  return std::max<std::size_t>(limits::http_bodies_bytes_max, 2 * x.body_max_bytes);
}

/// Those that the process has files for: the store must never be short of them.
std::size_t connections_max(const http_config& x) {
  return connections_within(open_files_max(), x.connections_max);
}

void tell_of_clamp(node_services& services, std::size_t wanted, std::size_t most) {
  if (most < wanted)
    services.log().say(
        log_level::warn, "http",
        "http.connections_max is " + std::to_string(wanted) + ", but at most "
            + std::to_string(most) + " connections are taken at once: this process may have only "
            + std::to_string(open_files_max())
            + " open files; raise that limit (LimitNOFILE=" + std::to_string(wanted + files_besides)
            + " in the service), or lower http.connections_max");
}

} // namespace

http::http_options http_of(const node_config& config, node_services& services) {
  auto& from = config.http;
  http::http_options x;
  x.address = from.address;
  x.port = from.port;
  x.threads = from.threads;
  x.header_bytes_max = from.header_max_bytes;
  x.body_bytes_max = from.body_max_bytes;
  x.bodies_bytes_max = bodies_bytes_max(from);
  x.connections_max = connections_max(from);
  x.connections_reserved = std::min<std::size_t>(x.connections_reserved, x.connections_max / 10);
  tell_of_clamp(services, from.connections_max, x.connections_max);
  x.header_time = from.header_timeout;
  x.idle_time = from.idle_timeout;
  x.body_time = from.read_timeout;
  x.allowed_hosts = lowered(from.allowed_hosts);
  x.allowed_origins = lowered(from.allowed_origins);
  x.tls_cert = from.tls.cert;
  x.tls_key = from.tls.key;
  x.authenticate = [&services](std::string_view key) { return caller_of(services, key); };
  x.observe = [&services](const http::served& line) { observe(services, line); };
  x.may_change = [&services] { return services.may_change(); };
  x.rejected = [&services](std::string_view reason) { services.metrics().rejected(reason); };
  x.audit = [&services](const http::served& line) { write_audit(services, line); };
  return x;
}

http::api_parts api_of(runtime& node, const node_config& config, node_services& services,
                       const http::server& server) {
  http::api_parts api{node};
  api.allows_kind = [&services](std::string_view kind) { return services.allows_kind(kind); };
  api.metrics = [&node, &services, &server](std::vector<limit_use> limits) {
    auto config = services.config().http;
    limits.push_back({"http_connections", server.connections(), connections_max(config)});
    limits.push_back({"http_bodies_bytes", server.body_bytes(), bodies_bytes_max(config)});
    limits.push_back({"http_answers_bytes", server.answer_bytes(), http::answers_bytes_usual});
    return services.metrics_text(node, std::move(limits));
  };
  api.ready_parts = [&node, &services] { return ready_parts(node.stats(), services.may_change()); };
  api.exclusive = [&services](std::string_view queue) { return rule_of(services, queue); };
  auto& metrics = services.metrics();
  api.readers = [&metrics](int change) { metrics.stream_readers(change); };
  api.reader_cut = [&services](std::string_view request, job_id job) {
    tell_cut(services, request, job);
  };
  api.event_queued = [&metrics](std::chrono::nanoseconds x) { metrics.event_queued(x); };
  api.event_taken = [&metrics](std::chrono::nanoseconds x) { metrics.event_taken(x); };
  api.new_trace = [&services] { return services.new_trace(); };
  api.keys = &services.keys();
  api.rejected = [&services](std::string_view reason) { services.metrics().rejected(reason); };
  api.metrics_need_key = config.http.metrics_need_key;
  return api;
}

std::string url_of(const http_config& x, std::uint16_t port) {
  auto host = x.address.find(':') == std::string::npos ? x.address : "[" + x.address + "]";
  return (x.tls.cert.empty() ? "http://" : "https://") + host + ":" + std::to_string(port);
}

} // namespace troupe::node
