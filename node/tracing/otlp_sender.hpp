#pragma once

#include "troupe/error.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace troupe::node {

/// Sends bodies to a collector by OTLP/HTTP, over one connection that stays open. One thread at a
/// time.
class otlp_sender {
public:
  explicit otlp_sender(std::string endpoint);
  ~otlp_sender();
  otlp_sender(const otlp_sender&) = delete;
  otlp_sender& operator=(const otlp_sender&) = delete;

  /// Sends one body of JSON and waits for the answer, at most `limit`. Errors: `overloaded` if it
  /// may be repeated later (nobody is there, or the collector says so), `unsupported` if not.
  status send(const std::string& json, std::chrono::milliseconds limit);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::node
