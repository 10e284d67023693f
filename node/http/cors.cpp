#include "node/http/cors.hpp"

namespace troupe::http {

namespace {

constexpr auto sent = "Authorization, Content-Type, Idempotency-Key, If-None-Match, If-Range, "
                      "Last-Event-ID, Range, traceparent, X-Request-Id";
constexpr auto read = "Accept-Ranges, Content-Range, ETag, Idempotency-Replayed, Location, "
                      "Retry-After, Troupe-Line, X-Request-Id";
constexpr auto kept_s = "600"; ///< A browser asks again after that.

} // namespace

std::string reader_of(const http_options& x, const request& in) {
  auto origin = in.fields.find("Origin");
  return origin && x.allowed_origins.contains(lowered(*origin)) ? *origin : "";
}

bool is_preflight(const request& in) {
  return in.method == "OPTIONS" && in.fields.find("Access-Control-Request-Method");
}

response preflight_answer(const std::vector<std::string>& methods) {
  response x{204};
  std::string all;
  for (auto& method : methods)
    all += (all.empty() ? "" : ", ") + method;
  x.fields.add("Access-Control-Allow-Methods", all);
  x.fields.add("Access-Control-Allow-Headers", sent);
  x.fields.add("Access-Control-Max-Age", kept_s);
  return x;
}

headers cors_fields(const http_options& x, const std::string& reader) {
  headers all;
  if (!x.allowed_origins.empty()) // Also for others: who keeps an answer must not mix them up.
    all.add("Vary", "Origin");
  if (!reader.empty()) {
    all.add("Access-Control-Allow-Origin", reader);
    all.add("Access-Control-Expose-Headers", read);
  }
  return all;
}

} // namespace troupe::http
