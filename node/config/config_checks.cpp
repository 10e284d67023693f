#include "core/names.hpp"
#include "graph_json/value_json.hpp"
#include "node/config/addresses.hpp"
#include "node/config/parse_config.hpp"
#include "node/config/settings.hpp"

#include <algorithm>
#include <cassert>

namespace troupe::node {

namespace {

constexpr std::string_view kinds[]{"noop", "delay", "exec", "jq", "function", "worker", "*"};
constexpr std::string_view modules[]{"audit",    "config",  "http",    "jobs",    "metrics",
                                     "security", "runtime", "tracing", "watchdog"};

void check_address(const http_config& x, problems& to) {
  if (!is_address(x.address))
    to.push_back({"bad_value", "/http/address",
                  core::quoted(x.address)
                      + " is no address: expected IPv4, IPv6 or `localhost`, without a port"});
}

void check_tls(const tls_config& x, problems& to) {
  if (x.cert.empty() == x.key.empty())
    return;
  to.push_back({"missing_key", "/http/tls",
                x.key.empty() ? "`cert` needs its `key`" : "`key` needs its `cert`"});
}

void check_kinds(const kinds_config& x, problems& to) {
  for (std::size_t i = 0; i < x.allow.size(); ++i)
    if (std::ranges::find(kinds, x.allow[i]) == std::end(kinds))
      to.push_back({"bad_value", "/kinds/allow/" + std::to_string(i),
                    core::quoted(x.allow[i]) + " is no kind; allowed: " + core::listed(kinds)
                        + core::did_you_mean(x.allow[i], kinds)});
}

void check_queues(const std::vector<std::string>& queues, const char* place, problems& to) {
  for (std::size_t i = 0; i < queues.size(); ++i)
    if (!core::is_name(queues[i]))
      to.push_back({"bad_name", place + ("/" + std::to_string(i)),
                    core::quoted(queues[i]) + " is no name of a queue"});
}

void check_exclusive(const queues_config& x, problems& to) {
  for (std::size_t i = 0; i < x.exclusive_wait.size(); ++i)
    if (std::ranges::find(x.exclusive, x.exclusive_wait[i]) != x.exclusive.end())
      to.push_back({"bad_value", "/queues/exclusive_wait/" + std::to_string(i),
                    core::quoted(x.exclusive_wait[i])
                        + " stands in `exclusive`, too: a queue refuses, or it lets wait"});
}

void check_modules(const log_config& x, problems& to) {
  for (auto& [module, level] : x.modules)
    if (std::ranges::find(modules, module) == std::end(modules))
      to.push_back({"bad_value", "/log/modules/" + module,
                    core::quoted(module) + " is no module; allowed: " + core::listed(modules)
                        + core::did_you_mean(module, modules)});
}

/// A host as the header `Host` has it.
bool is_host(std::string_view x) {
  auto fits = [](unsigned char c) {
    return c > ' ' && c < 0x7f
           && std::string_view{"/?#@\\\""}.find(char(c)) == std::string_view::npos;
  };
  return !x.empty() && std::ranges::all_of(x, fits);
}

void check_hosts(const http_config& x, problems& to) {
  for (std::size_t i = 0; i < x.allowed_hosts.size(); ++i)
    if (!is_host(x.allowed_hosts[i]))
      to.push_back(
          {"bad_value", "/http/allowed_hosts/" + std::to_string(i),
           core::quoted(x.allowed_hosts[i]) + " is no host: expected `name`, `name:port` or `*`"});
}

void check_origins(const http_config& x, problems& to) {
  for (std::size_t i = 0; i < x.allowed_origins.size(); ++i) {
    auto& origin = x.allowed_origins[i];
    auto host = origin.find("://");
    auto known = origin.starts_with("http://") || origin.starts_with("https://");
    if (!known || origin.size() == host + 3 || origin.find('/', host + 3) != origin.npos)
      to.push_back({"bad_value", "/http/allowed_origins/" + std::to_string(i),
                    core::quoted(origin)
                        + " is no origin: expected `https://host` or `http://host:port`, "
                          "without a path"});
  }
}

void check_tracing(const tracing_config& x, problems& to) {
  if (x.endpoint.empty())
    return;
  std::string_view url = x.endpoint;
  auto known = url.starts_with("http://") || url.starts_with("https://");
  auto host = known ? url.substr(url.find("://") + 3) : std::string_view{};
  host = host.substr(0, host.find_first_of("/?#"));
  auto visible = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  if (host.find('@') != host.npos) // Said without what stands there.
    to.push_back({"bad_value", "/tracing/endpoint",
                  "a URL with a user or a password is not taken: it would stand in logs"});
  else if (host.empty() || host.front() == ':' || !std::ranges::all_of(url, visible))
    to.push_back({"bad_value", "/tracing/endpoint",
                  core::quoted(without_query(x.endpoint))
                      + " is no URL: expected `http://host:4318/v1/traces`, or `https://…`"});
}

std::string json_of(const setting& s, const node_config& x) {
  return graph_json::to_json(s.show(x));
}

} // namespace

problems check_config(const node_config& x) {
  problems all;
  check_address(x.http, all);
  check_tls(x.http.tls, all);
  check_hosts(x.http, all);
  check_origins(x.http, all);
  check_kinds(x.kinds, all);
  check_queues(x.queues.exclusive, "/queues/exclusive", all);
  check_queues(x.queues.exclusive_wait, "/queues/exclusive_wait", all);
  check_exclusive(x.queues, all);
  check_modules(x.log, all);
  check_tracing(x.tracing, all);
  return all;
}

std::vector<config_change> changes_of(const node_config& before, const node_config& after) {
  std::vector<config_change> all;
  for (auto& s : settings()) {
    if (json_of(s, before) != json_of(s, after))
      all.push_back({std::string{s.pointer}, graph_json::to_json(shown(s, before)),
                     graph_json::to_json(shown(s, after)), s.is_live});
  }
  return all;
}

node_config with_live_changes(const node_config& before, const node_config& after) {
  auto mixed = before;
  for (auto& s : settings()) {
    if (!s.is_live)
      continue;
    graph_json::problem_list none;
    auto x = s.show(after);
    s.read(s, mixed, x, graph_json::json_place{s.pointer}, none);
    assert(none.is_empty()); // What was read once is read again.
  }
  return mixed;
}

} // namespace troupe::node
