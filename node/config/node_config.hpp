#pragma once

#include "troupe/limits.hpp"
#include "troupe/runtime.hpp"

#include <map>
#include <string>
#include <vector>

/// What a node is told by its configuration file and its environment. `docs/configuration.md`
/// explains each key.
namespace troupe::node {

/// Certificate and key in PEM files; both or none.
struct tls_config {
  std::string cert{}, key{};
};

/// The HTTP server. Hosts and origins beyond those of the address itself.
struct http_config {
  std::string address = "127.0.0.1"; ///< An IPv4 or IPv6 address, or `localhost`.
  std::uint16_t port = 7700;         ///< 0: one that is free.
  std::vector<std::string> allowed_hosts{};
  std::vector<std::string> allowed_origins{};
  tls_config tls{};
  std::uint64_t body_max_bytes = 8 << 20; ///< Blobs and batches are streamed: without this limit.
  std::uint64_t header_max_bytes = 16 << 10;
  std::uint32_t connections_max = 10'000;
  std::uint32_t threads = 0; ///< 0: one for each core.
  /// From the first byte to the last header.
  std::chrono::milliseconds header_timeout = limits::http_header_time;
  std::chrono::milliseconds read_timeout = limits::http_body_time; ///< Between pieces of a body.
  std::chrono::milliseconds idle_timeout = limits::http_idle_time; ///< Between two requests.
  /// For requests that run when it ends.
  std::chrono::milliseconds shutdown_grace = limits::http_shutdown_time;
  bool metrics_need_key = false;
};

/// What vertices of jobs over HTTP may do. `*`: every kind.
struct kinds_config {
  std::vector<std::string> allow{"noop", "delay", "jq", "function", "worker"};
};

/// Queues that have one unfinished job at most.
struct queues_config {
  std::vector<std::string> exclusive{};      ///< A request for another job is refused,
  std::vector<std::string> exclusive_wait{}; ///< or waits for its turn.
};

/// Who may call, and what is written down of it.
struct security_config {
  std::string keys_file{}; ///< Empty: `keys.json` in the data directory.
  bool audit = true;
  std::uint64_t audit_file_bytes = 64 << 20; ///< Then the next file begins.
  std::uint32_t audit_files = 16;            ///< Kept, the newest ones.
};

struct metrics_config {
  std::uint32_t max_flows = 100;  ///< Names of graphs in labels; then `other`.
  std::uint32_t max_queues = 100; ///< Names of queues in labels; then `other`.
};

/// Spans of jobs, for a collector.
struct tracing_config {
  std::string endpoint{}; ///< The URL that takes OTLP/HTTP, `/v1/traces` and all; empty: off.
  std::string service = "troupe";     ///< What spans tell of.
  std::uint32_t sample_percent = 100; ///< Of jobs that come without a trace.
};

/// Levels: `trace`, `debug`, `info`, `warn`, `error`, `off`.
struct log_config {
  std::string level = "info";
  std::string format = "text";                  ///< Or `json`.
  std::map<std::string, std::string> modules{}; ///< Levels of single modules.
};

/// Everything. `runtime` has the data directory, retention and the knobs of the engine.
struct node_config {
  runtime_config runtime{};
  std::uint64_t min_free_bytes = 0; ///< New jobs are refused when less is free; 0: by itself.
  http_config http{};
  kinds_config kinds{};
  queues_config queues{};
  security_config security{};
  metrics_config metrics{};
  tracing_config tracing{};
  log_config log{};

  node_config() { runtime.data_dir = ".troupe"; }

  /// Where the keys are.
  std::filesystem::path keys_file() const {
    return security.keys_file.empty() ? runtime.data_dir / "keys.json"
                                      : std::filesystem::path{security.keys_file};
  }
  /// Where the audit lines are.
  std::filesystem::path audit_dir() const { return runtime.data_dir / "audit"; }
};

} // namespace troupe::node
