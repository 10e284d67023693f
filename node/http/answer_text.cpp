#include "node/http/answer_text.hpp"

#include <boost/beast/http/status.hpp>
#include <ctime>

namespace troupe::http {

namespace {

constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Not by `strftime`, whose words are those of the locale.
std::string date_text(std::time_t at) {
  std::tm x{};
  ::gmtime_r(&at, &x);
  char text[64];
  auto n =
      std::snprintf(text, sizeof text, "%s, %02d %s %d %02d:%02d:%02d GMT", days[x.tm_wday],
                    x.tm_mday, months[x.tm_mon], x.tm_year + 1900, x.tm_hour, x.tm_min, x.tm_sec);
  return {text, static_cast<std::size_t>(n)};
}

} // namespace

std::string_view reason_of(int status) {
  return boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(static_cast<unsigned>(status)));
}

const std::string& date_now() {
  thread_local std::time_t at = -1;
  thread_local std::string text;
  if (auto now = std::time(nullptr); now != at) {
    at = now;
    text = date_text(now);
  }
  return text;
}

std::string last_answer(const response& x, std::string_view request_id) {
  auto all = "HTTP/1.1 " + std::to_string(x.status) + " " + std::string{reason_of(x.status)};
  auto add = [&](std::string_view name, std::string_view text) {
    (all += "\r\n").append(name).append(": ").append(text);
  };
  add("Content-Type", x.type);
  add("Content-Length", std::to_string(x.body.size()));
  add("Date", date_now());
  add("X-Request-Id", request_id);
  add("Connection", "close");
  for (auto& [name, text] : x.fields)
    add(name, text);
  return all + "\r\n\r\n" + x.body;
}

} // namespace troupe::http
