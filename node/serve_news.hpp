#pragma once

#include "node/config/node_config.hpp"
#include "node/console.hpp"

namespace troupe::node {

/// What a node says of itself on standard error, whatever the levels of its log: lines for people,
/// or, where the log is JSON, lines as the log's, of the module `serve`. One thread at a time.
class serve_news {
public:
  /// `to` must outlive this.
  serve_news(console& to, const node_config& config)
      : to_(to), is_json_(config.log.format == "json") {}

  void tell(const std::string& text);
  void warn(const std::string& text);
  /// As `console::fail`.
  int fail(const trouble& x);

private:
  console& to_;
  bool is_json_;
};

} // namespace troupe::node
