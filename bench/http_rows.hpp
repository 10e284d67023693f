#pragma once

#include "bench/http_load.hpp"

#include <filesystem>
#include <stdexcept>

/// What the rows of `http_bench` have in common.
namespace troupe::bench {

struct http_bench_options {
  std::filesystem::path directory = ".";
  std::string troupe = "troupe";
  std::size_t runs = 3;
  double seconds = 5;
  std::size_t lines = 100'000;
  std::size_t readers = 100;
  std::string only;
};

inline const std::string noop_job = R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})";

/// Of a process, in MB; what is not anonymous shows files.
struct resident_memory {
  double all = 0, anonymous = 0;
};

/// A node of its own process, on a fresh directory.
class http_node {
public:
  explicit http_node(const http_bench_options& o);
  ~http_node();
  http_node(const http_node&) = delete;
  http_node& operator=(const http_node&) = delete;

  /// Processor time in seconds so far.
  double cpu() const;
  resident_memory memory() const;
  std::size_t open_files() const;
  /// What its files take, in MB, but for the audit log, which has a limit of its own.
  double disk_mb() const;

  std::uint16_t port = 0;

private:
  std::filesystem::path data_;
  pid_t pid_;
  int told_; ///< What it says.
};

inline void expect(const http_answer& x, int status) {
  if (x.status != status)
    throw std::runtime_error{"status " + std::to_string(x.status) + ": " + x.body};
}

/// The same job, which is forgotten so long after its end.
inline std::string kept_for(std::string job, const std::string& retention) {
  job.insert(job.rfind('}'), R"(,"retention":")" + retention + '"');
  return job;
}

/// The id of the job that was just made.
inline std::string made_id(const http_answer& x) {
  expect(x, 201);
  return x.body.substr(x.body.find("\"id\":\"") + 6, 36);
}

/// Many readers of one job's events.
void bench_readers(const http_bench_options& o);

} // namespace troupe::bench
