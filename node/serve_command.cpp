#include "node/serve_command.hpp"

#include "node/data_path.hpp"
#include "node/http/probe.hpp"
#include "node/http/server.hpp"
#include "node/interrupts.hpp"
#include "node/open_files.hpp"
#include "node/security_commands.hpp"
#include "node/serve_news.hpp"
#include "node/served_node.hpp"
#include "node/systemd.hpp"
#include "node/text.hpp"

#include <thread>

namespace troupe::node {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 50ms; ///< For signals, and new keys.

/// While it lives, what a console says takes its turn among the lines of the log, which hold up
/// nobody: a node ends also if nobody reads its standard error.
class said_by_log {
public:
  said_by_log(console& to, log& by) : to_(to) {
    to.set_err([&by](std::string_view text) { by.put(std::string{text}); });
  }
  ~said_by_log() { to_.set_err({}); }
  said_by_log(const said_by_log&) = delete;
  said_by_log& operator=(const said_by_log&) = delete;

private:
  console& to_;
};

/// Takes over what a running node can.
void reload(node_services& services, http::server& server) {
  notify_service_manager("RELOADING=1");
  if (services.reload())
    server.change(http_of(services.config(), services));
  notify_service_manager("READY=1");
}

/// Whether every shard answers and can write.
status is_alive(runtime& node, node_services& services, std::chrono::milliseconds limit) {
  auto answered = http::probe(node, limit);
  if (answered)
    return {};
  services.log().say(log_level::error, "watchdog",
                     "the runtime is not well: " + answered.error().detail,
                     {{"code", to_string(answered.code())}});
  return answered.error();
}

void serve_until_signal(serve_news& news, runtime& node, node_services& services,
                        http::server& server, const interrupts& signals,
                        std::optional<hangups>& told) {
  watchdog alive{[&](auto limit) { return is_alive(node, services, limit); }};
  notify_service_manager("READY=1");
  while (signals.caught() == 0) {
    std::this_thread::sleep_for(look_every);
    services.look_at_keys();
    services.look_at_audit();
    if (told && told->take())
      reload(services, server);
  }
  notify_service_manager("STOPPING=1");
  news.tell("ending, " + counted(server.connections(), "connection") + " open");
  if (!server.shut(services.config().http.shutdown_grace))
    news.warn("requests were cut off that had not come to their end");
}

} // namespace

node_config configured(node_config x, const serve_options& options) {
  auto set = [](auto& to, auto& from) {
    if (from)
      to = *from;
  };
  set(x.runtime.data_dir, options.data);
  set(x.http.address, options.address);
  set(x.http.port, options.port);
  set(x.http.tls.cert, options.tls_cert);
  set(x.http.tls.key, options.tls_key);
  auto add = [](auto& to, auto& more) { to.insert(to.end(), more.begin(), more.end()); };
  add(x.kinds.allow, options.kinds);
  add(x.http.allowed_hosts, options.hosts);
  return x;
}

int run_node(console& to, const node_config& config, node_services& services, hangup on_hangup,
             const serving& ready) {
  said_by_log in_turn{to, services.log()};
  serve_news news{to, config};
  if (auto wrong = backup_at(config.runtime.data_dir))
    return news.fail(*wrong);
  for (auto& x : stray_variables(process_environment()))
    news.warn(x);
  if (auto unnamed = unnamed_hosts(config))
    news.warn(*unnamed + "; name those of this machine there, or with --allow-host");
  interrupts signals;
  std::optional<hangups> told;
  if (on_hangup == hangup::reloads)
    told.emplace(); // One that comes while the node begins or ends is no reason to end at once.
  raise_open_files();
  std::optional<runtime> node; // Outlives the server, whose requests stand on it.
  auto server = http::server::open(http_of(config, services));
  if (!server)
    return news.fail(
        trouble{server.code() == ec::invalid_spec ? fault::invalid_config : fault::cannot_listen,
                {},
                server.error().detail});
  auto how = services.for_runtime();
  auto opened = runtime::open(how);
  if (!opened)
    return news.fail(opened.error());
  node.emplace(std::move(*opened));
  if (auto audit = services.open_audit(); !audit)
    return news.fail(audit.error());
  auto api = std::make_shared<http::api>(api_of(*node, config, services, **server));
  services.start_tracing(*node);
  services.keys().when_changed([&server] { (*server)->check_keys(); });
  (*server)->serve(http::api_routes(api));
  news.tell("serving " + url_of(config.http, (*server)->port()) + ", data in "
            + how.data_dir.string());
  if (ready)
    ready(*node, url_of(config.http, (*server)->port()));
  serve_until_signal(news, *node, services, **server, signals, told);
  services.stop_tracing();
  api->pool.drop();
  node->close(); // Ends what the pool still waits for.
  api->pool.end();
  services.keys().when_changed({});
  return number(exit_code::ok);
}

int serve(console& to, const serve_options& options, format how) {
  auto on_top = [&options](node_config x) { return configured(std::move(x), options); };
  auto given = options.has_settings() ? config_options{on_top} : config_options{};
  if (options.check)
    return check_config(to, options.config, given, how);
  auto config = load_config(to, options.config, given);
  if (!config)
    return to.fail(config.trouble());
  auto services = node_services::open(*config, options.config);
  if (!services)
    return serve_news{to, *config}.fail(services.trouble());
  (*services)->adjust_reloads(on_top);
  return run_node(to, *config, **services, hangup::reloads);
}

} // namespace troupe::node
