#include "node/serve_news.hpp"

#include "node/logging/log.hpp"

namespace troupe::node {

namespace {

std::string line_of(log_level level, std::string_view text,
                    std::initializer_list<log_field> fields = {}) {
  return log_line(log_format::json, log_time(), level, "serve", text, fields) + "\n";
}

std::string_view either(const std::string& said, std::string_view usual) {
  return said.empty() ? usual : std::string_view{said};
}

} // namespace

void serve_news::tell(const std::string& text) {
  to_.err(is_json_ ? line_of(log_level::info, text) : "troupe: " + text + "\n");
}

void serve_news::warn(const std::string& text) {
  to_.err(is_json_ ? line_of(log_level::warn, text) : "warning: " + text + "\n");
}

int serve_news::fail(const trouble& x) {
  if (!is_json_)
    return to_.fail(x);
  auto& kind = *x.kind;
  to_.err(line_of(log_level::error, either(x.what, kind.what),
                  {{"code", kind.name},
                   {"number", kind.number},
                   {"why", either(x.why, kind.why)},
                   {"try", either(x.next, kind.next)}}));
  return number(kind.exit);
}

} // namespace troupe::node
