#include "node/http/options.hpp"

#include <algorithm>
#include <random>

namespace troupe::http {

namespace {

constexpr std::size_t request_id_bytes_max = 128;

/// `name:port` without its port; IPv6 addresses stand in brackets.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('['))
    return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool fits_id(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
         || c == '_' || c == '.';
}

} // namespace

bool names_this(const http_options& x, std::string_view authority) {
  auto host = lowered(host_of(authority));
  if (host.empty())
    return false;
  for (auto own : {"localhost", "127.0.0.1", "[::1]"})
    if (host == own)
      return true;
  return host == lowered(x.address) || host == "[" + lowered(x.address) + "]"
         || x.allowed_hosts.contains("*") || x.allowed_hosts.contains(host)
         || x.allowed_hosts.contains(lowered(authority));
}

bool may_call(const http_options& x, std::string_view origin, std::string_view authority) {
  auto own = lowered(authority), from = lowered(origin);
  return x.allowed_origins.contains(from) || from == "http://" + own || from == "https://" + own;
}

bool is_change(const request& in, std::optional<action> needs) {
  if (needs == action::work)
    return false;
  if (in.method != "GET")
    return in.method != "HEAD";
  auto policy = in.query.find("on_disconnect");
  return policy != in.query.end() && policy->second == "cancel";
}

std::string request_id_of(const std::string* sent) {
  if (sent && !sent->empty() && sent->size() <= request_id_bytes_max
      && std::ranges::all_of(*sent, fits_id))
    return *sent;
  constexpr char digits[] = "0123456789abcdef";
  thread_local std::mt19937_64 source{std::random_device{}()};
  std::string id;
  for (auto bits = source(); id.size() < 16; bits >>= 4)
    id += digits[bits & 15];
  return id;
}

result<std::string_view> bearer_of(const std::string* field) {
  if (!field)
    return std::string_view{};
  constexpr std::string_view scheme = "bearer ";
  std::string_view text = *field;
  if (!same_word(text.substr(0, scheme.size()), scheme))
    return error{ec::invalid_spec, "the header Authorization has the form `Bearer KEY`"};
  text.remove_prefix(scheme.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (text.empty())
    return error{ec::invalid_spec, "the header Authorization has no key"};
  return text;
}

bool is_type(const std::string* field, std::string_view type) {
  if (!field)
    return false;
  std::string_view text = *field;
  text = text.substr(0, text.find(';'));
  text = text.substr(0, text.find_last_not_of(" \t") + 1);
  return same_word(text, type);
}

} // namespace troupe::http
