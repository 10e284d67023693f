#include "node/node_services.hpp"

#include "node/config/addresses.hpp"
#include "node/job_log.hpp"
#include "node/security_commands.hpp"
#include "node/tracing/observer_pair.hpp"
#include "node/tracing/otlp_sender.hpp"
#include "node/version.hpp"

#include <algorithm>
#include <future>

namespace troupe::node {

namespace {

constexpr std::chrono::seconds last_spans_time{2}; ///< For spans to be sent at the end.

std::shared_ptr<tracer> tracer_of(const tracing_config& x, node::log& log) {
  if (x.endpoint.empty())
    return {};
  auto to = std::make_shared<otlp_sender>(x.endpoint);
  tracing_options options;
  options.service = x.service;
  options.version = version_number();
  options.sample_percent = x.sample_percent;
  return std::make_shared<tracer>(
      options, [to](const std::string& json, auto limit) { return to->send(json, limit); },
      [&log](const std::string& text) { log.say(log_level::warn, "tracing", text); });
}

} // namespace

log_levels_of levels_of(const log_config& x) {
  log_levels_of levels{*parse_log_level(x.level), {}};
  for (auto& [module, level] : x.modules)
    levels.modules[module] = *parse_log_level(level);
  return levels;
}

namespace {

constexpr std::chrono::seconds load_time{1}; ///< A scrape waits so long for the actors.

error no_answer() { return {ec::timed_out, "the runtime does not answer"}; }

/// What was read; that it could not be is logged when it begins.
template <class T>
std::optional<T> known(result<T> x, const std::string& what, std::atomic<bool>& fails,
                       node::log& log) {
  if (x) {
    fails = false;
    return std::move(*x);
  }
  if (!fails.exchange(true))
    log.say(log_level::warn, "metrics", "/metrics is without " + what + ": " + x.error().detail,
            {{"code", to_string(x.code())}});
  return {};
}

log_format format_of(const log_config& x) {
  return x.format == "json" ? log_format::json : log_format::text;
}

metrics_options options_of(const node_config& x) {
  return {x.metrics.max_flows, x.metrics.max_queues, version_number()};
}

} // namespace

node_services::node_services(node_config config, std::string file, int log_to)
    : config_(std::move(config)),
      file_(std::move(file)),
      open_to_all_(is_loopback(config_.http.address)),
      log_(std::make_unique<node::log>(format_of(config_.log), levels_of(config_.log), log_to)),
      metrics_(options_of(config_)),
      tracer_(tracer_of(config_.tracing, *log_)) {}

void node_services::start_tracing(runtime& node) {
  if (tracer_)
    tracer_->start(node);
}

void node_services::stop_tracing() {
  if (tracer_)
    tracer_->stop(last_spans_time);
}

answer<std::unique_ptr<node_services>> node_services::open(node_config config, std::string file,
                                                           int log_to) {
  std::unique_ptr<node_services> made{
      new node_services{std::move(config), std::move(file), log_to}};
  auto report = [log = made->log_.get()](const error& x) {
    log->say(log_level::error, "security", x.detail, {{"code", to_string(x.code)}});
  };
  auto keys = key_ring::open(made->config_.keys_file(), report);
  if (!keys)
    return keys_trouble(keys.error());
  if (auto wrong = exposure(made->config_, made->file_, (*keys)->has_keys()))
    return *wrong;
  made->keys_ = std::move(*keys);
  return made;
}

runtime_config node_services::for_runtime() {
  auto x = config_.runtime;
  x.min_free_bytes = config_.min_free_bytes;
  x.observer =
      std::make_shared<observer_pair>(metrics_.observer(), std::make_shared<job_log>(*log_));
  if (tracer_)
    x.observer = std::make_shared<observer_pair>(x.observer, tracer_->observer());
  x.report = [log = log_.get()](const std::string& text) {
    log->say(log_level::warn, "runtime", text);
  };
  return x;
}

status node_services::open_audit() {
  if (!config_.security.audit)
    return {};
  audit_options options;
  options.file_bytes = config_.security.audit_file_bytes;
  options.files_max = config_.security.audit_files;
  auto opened = audit_log::open(config_.audit_dir(), options);
  if (!opened)
    return opened.error();
  audit_ = std::move(*opened);
  return {};
}

std::optional<principal> node_services::check(std::string_view bearer) {
  return keys_->check(bearer, open_to_all_);
}

void node_services::audit(audit_entry x) {
  if (!audit_)
    return;
  audit_->append(std::move(x), [log = log_.get()](const status& outcome, const audit_entry& x) {
    if (!outcome)
      log->say(log_level::error, "audit", outcome.error().detail,
               {{"code", to_string(outcome.code())},
                {"act", x.act},
                {"outcome", x.outcome},
                {"key", x.who.key},
                {"request", x.request}});
  });
}

/// A line of its own: only what is written shows that the next one can be.
void node_services::look_at_audit() {
  auto now = std::chrono::steady_clock::now();
  auto wrong = may_change();
  if (wrong || wrong.code() == ec::overloaded || now - audit_tried_ < audit_try_every)
    return;
  audit_tried_ = now;
  audit_entry entry;
  entry.who.name = "node";
  entry.who.role = role::admin;
  entry.act = "go on";
  entry.outcome = audit_ok;
  entry.result = "lines were refused before this one";
  audit(std::move(entry));
}

node_config node_services::config() const {
  std::scoped_lock lock{mutex_};
  return config_;
}

bool node_services::allows_kind(std::string_view kind) const {
  std::scoped_lock lock{mutex_};
  return std::ranges::any_of(config_.kinds.allow, [&](auto& x) { return x == kind || x == "*"; });
}

bool node_services::is_exclusive(std::string_view queue) const {
  std::scoped_lock lock{mutex_};
  auto& all = config_.queues.exclusive;
  return std::ranges::find(all, queue) != all.end();
}

bool node_services::has_turns(std::string_view queue) const {
  std::scoped_lock lock{mutex_};
  auto& all = config_.queues.exclusive_wait;
  return std::ranges::find(all, queue) != all.end();
}

bool node_services::reload() {
  keys_->refresh();
  auto environment = process_environment();
  auto parsed =
      file_.empty() ? parse_config("{}", environment) : parse_config_file(file_, environment);
  if (adjust_)
    parsed.config = adjust_(std::move(parsed.config));
  if (parsed.errors.empty())
    parsed.errors = check_config(parsed.config);
  for (auto& x : parsed.errors)
    log_->say(log_level::error, "config", (x.pointer.empty() ? "" : x.pointer + ": ") + x.detail,
              {{"file", file_}});
  if (!parsed.errors.empty()) {
    log_->say(log_level::error, "config", "nothing was changed: the configuration is as before");
    return false;
  }
  std::scoped_lock lock{mutex_};
  auto changes = changes_of(config_, parsed.config);
  for (auto& x : changes)
    log_->say(x.is_live ? log_level::info : log_level::warn, "config",
              x.pointer + ": " + x.from + " -> " + x.to
                  + (x.is_live ? "" : " takes effect after a restart"));
  config_ = with_live_changes(config_, parsed.config);
  log_->set_levels(levels_of(config_.log));
  return !changes.empty();
}

std::string node_services::metrics_text(runtime& node, std::vector<limit_use> limits) {
  auto load = std::make_shared<std::promise<result<runtime_load>>>();
  auto loaded = load->get_future();
  node.load([load](const result<runtime_load>& x) { load->set_value(x); });
  auto& log = *log_;
  scraped now;
  now.totals = known(node.totals(), "the totals of queues", totals_fail_, log);
  now.store = known(node.stats(), "the numbers of the store", store_fails_, log);
  auto is_there = loaded.wait_for(load_time) == std::future_status::ready;
  now.load = known(is_there ? loaded.get() : result<runtime_load>{no_answer()},
                   "the load of the actors", load_fails_, log);
  now.limits = std::move(limits);
  if (tracer_) {
    auto told = tracer_->stats();
    now.spans = span_counts{told.spans_exported, told.spans_failed, told.jobs_dropped};
  }
  return metrics_.text(now);
}

} // namespace troupe::node
