#include "node/config/settings.hpp"

#include "node/config/retention_setting.hpp"
#include "node/config/setting_types.hpp"

namespace troupe::node {

namespace {

using namespace setting_types;

constexpr std::string_view levels[]{"trace", "debug", "info", "warn", "error", "off"};
constexpr std::string_view formats[]{"text", "json"};

constexpr std::int64_t any_size = std::int64_t{1} << 53; // What JSON numbers hold everywhere.
constexpr bool live = true;

/// Leads to a member of the configuration.
#define TROUPE_AT(member)                                                                          \
  [](auto& c) -> auto& { return c.member; }

void read_modules(const setting&, node_config& to, value& from, const json_place& at,
                  problem_list& out) {
  auto all = from.members();
  if (!all)
    return out.wrong_type(at, from, "an object of modules and levels");
  to.log.modules.clear();
  for (auto& [module, x] : *all) {
    auto level = x.string();
    auto place = at / module;
    if (!core::is_name(module))
      out.add("bad_name", place, core::quoted(module) + " is not a name of a module");
    if (!level)
      out.wrong_type(place, x, "a string");
    else if (std::ranges::find(levels, *level) == std::end(levels))
      out.unknown_word(place, *level, levels);
    else
      to.log.modules[module] = *level;
  }
}

value show_modules(const node_config& from) {
  value::object all;
  for (auto& [module, level] : from.log.modules)
    all[module] = level;
  return all;
}

/// A text that is a URL.
constexpr setting url(setting x) {
  x.is_url = true;
  return x;
}

/// One line for each key.
constexpr setting all_settings[]{
    {"/data_dir",
     type::text,
     false,
     0,
     0,
     {},
     [](const setting&, node_config& to, value& from, const json_place& at, problem_list& out) {
       if (auto x = from.string(); !x)
         out.wrong_type(at, from, "a string");
       else if (x->empty())
         out.add("bad_value", at, "expected the path of a directory");
       else
         to.runtime.data_dir = *x;
     },
     [](const node_config& c) { return value{c.runtime.data_dir.string()}; }},
    text<TROUPE_AT(http.address)>("/http/address"),
    integer<TROUPE_AT(http.port)>("/http/port", 0, 65535),
    texts<TROUPE_AT(http.allowed_hosts)>("/http/allowed_hosts", live),
    texts<TROUPE_AT(http.allowed_origins)>("/http/allowed_origins", live),
    text<TROUPE_AT(http.tls.cert)>("/http/tls/cert"),
    text<TROUPE_AT(http.tls.key)>("/http/tls/key"),
    integer<TROUPE_AT(http.body_max_bytes)>("/http/body_max_bytes", 1024, 1 << 30, live),
    integer<TROUPE_AT(http.header_max_bytes)>("/http/header_max_bytes", 1024, 1 << 20, live),
    integer<TROUPE_AT(http.connections_max)>("/http/connections_max", 1, 1'000'000, live),
    integer<TROUPE_AT(http.threads)>("/http/threads", 0, 1024),
    duration<TROUPE_AT(http.header_timeout)>("/http/header_timeout", 100, live),
    duration<TROUPE_AT(http.read_timeout)>("/http/read_timeout", 100, live),
    duration<TROUPE_AT(http.idle_timeout)>("/http/idle_timeout", 100, live),
    duration<TROUPE_AT(http.shutdown_grace)>("/http/shutdown_grace", 0, live),
    boolean<TROUPE_AT(http.metrics_need_key)>("/http/metrics_need_key"),
    texts<TROUPE_AT(kinds.allow)>("/kinds/allow", live),
    texts<TROUPE_AT(queues.exclusive)>("/queues/exclusive", live),
    texts<TROUPE_AT(queues.exclusive_wait)>("/queues/exclusive_wait", live),
    text<TROUPE_AT(security.keys_file)>("/security/keys_file"),
    boolean<TROUPE_AT(security.audit)>("/security/audit"),
    integer<TROUPE_AT(security.audit_file_bytes)>("/security/audit_file_bytes", 4096, any_size),
    integer<TROUPE_AT(security.audit_files)>("/security/audit_files", 2, 100'000),
    integer<TROUPE_AT(min_free_bytes)>("/storage/min_free_bytes", 0, any_size),
    integer<TROUPE_AT(runtime.shards)>("/runtime/shards", 1, 4096),
    integer<TROUPE_AT(runtime.threads)>("/runtime/threads", 0, 1024),
    integer<TROUPE_AT(runtime.function_threads)>("/runtime/function_threads", 0, 1024),
    integer<TROUPE_AT(runtime.exec_parallel_max)>("/runtime/exec_parallel_max", 1, 100'000),
    integer<TROUPE_AT(runtime.jq_helpers_max)>("/runtime/jq_helpers_max", 0, 1024),
    integer<TROUPE_AT(runtime.running_jobs_max)>("/runtime/running_jobs_max", 1, 1'000'000),
    duration<TROUPE_AT(runtime.cleanup_grace)>("/runtime/cleanup_grace"),
    duration<TROUPE_AT(runtime.cancel_grace)>("/runtime/cancel_grace"),
    duration<TROUPE_AT(runtime.retention.completed.age)>("/retention/completed/age"),
    integer<TROUPE_AT(runtime.retention.completed.bytes)>("/retention/completed/bytes", 0,
                                                          any_size),
    duration<TROUPE_AT(runtime.retention.failed.age)>("/retention/failed/age"),
    integer<TROUPE_AT(runtime.retention.failed.bytes)>("/retention/failed/bytes", 0, any_size),
    duration<TROUPE_AT(runtime.retention.cancelled.age)>("/retention/cancelled/age"),
    integer<TROUPE_AT(runtime.retention.cancelled.bytes)>("/retention/cancelled/bytes", 0,
                                                          any_size),
    duration<TROUPE_AT(runtime.retention.stopped.age)>("/retention/stopped/age"),
    integer<TROUPE_AT(runtime.retention.stopped.bytes)>("/retention/stopped/bytes", 0, any_size),
    {"/retention/queues",
     type::object,
     false,
     0,
     0,
     {},
     read_queue_retention,
     show_queue_retention},
    integer<TROUPE_AT(metrics.max_flows)>("/metrics/max_flows", 1, 10'000),
    integer<TROUPE_AT(metrics.max_queues)>("/metrics/max_queues", 1, 10'000),
    url(text<TROUPE_AT(tracing.endpoint)>("/tracing/endpoint")),
    text<TROUPE_AT(tracing.service)>("/tracing/service"),
    integer<TROUPE_AT(tracing.sample_percent)>("/tracing/sample_percent", 0, 100),
    word<TROUPE_AT(log.level)>("/log/level", levels, live),
    word<TROUPE_AT(log.format)>("/log/format", formats),
    {"/log/modules", type::object, live, 0, 0, {}, read_modules, show_modules},
};

#undef TROUPE_AT

} // namespace

std::span<const setting> settings() { return all_settings; }

value shown(const setting& s, const node_config& from) {
  auto x = s.show(from);
  if (s.is_url)
    x = without_query(*x.string());
  return x;
}

std::string without_query(std::string_view url) {
  auto end = url.find_first_of("?#");
  return end == url.npos ? std::string{url} : std::string{url.substr(0, end + 1)} + "…";
}

std::span<const std::string_view> log_levels() { return levels; }

} // namespace troupe::node
