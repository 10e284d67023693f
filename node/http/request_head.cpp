#include "node/http/request_head.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::http {

namespace {

/// What must not stand twice: one of two readers could take the first, and the other the second.
constexpr std::string_view singles[] = {"Host",         "Authorization", "Content-Length",
                                        "Content-Type", "Origin",        "Idempotency-Key",
                                        "Last-Event-ID"};

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

/// The parts of all fields of a name, which are lists.
std::vector<std::string_view> listed(const headers& fields, std::string_view name) {
  std::vector<std::string_view> all;
  for (auto& [key, text] : fields) {
    if (!same_word(key, name))
      continue;
    for (std::string_view rest = text; !rest.empty();) {
      auto part = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(part.size() + 1, rest.size()));
      all.push_back(trimmed(part));
    }
  }
  return all;
}

std::optional<response> refuse_codings(const headers& fields, bool is_old) {
  auto transfer = listed(fields, "Transfer-Encoding");
  if (fields.find("Transfer-Encoding") && is_old)
    return problem_answer(refusal::bad_request, "HTTP/1.0 has no Transfer-Encoding");
  if (fields.find("Transfer-Encoding")
      && (transfer.size() != 1 || !same_word(transfer[0], "chunked")))
    return problem_answer(refusal::transfer_coding,
                          "the header Transfer-Encoding is more than `chunked`");
  auto content = listed(fields, "Content-Encoding");
  if (std::ranges::all_of(content, [](auto x) { return same_word(x, "identity"); }))
    return {};
  auto answer = problem_answer(refusal::content_coding, "the header Content-Encoding is \""
                                                            + std::string{content.front()} + "\"");
  answer.fields.add("Accept-Encoding", "identity");
  return answer;
}

} // namespace

result<request_target> target_of(std::string_view text) {
  request_target to;
  constexpr std::string_view behind_scheme = "://";
  auto scheme = text.substr(0, text.find(behind_scheme));
  auto is_absolute = !text.starts_with('/') && scheme.size() < text.size();
  if (is_absolute && (same_word(scheme, "http") || same_word(scheme, "https"))) {
    text.remove_prefix(scheme.size() + behind_scheme.size());
    to.authority = text.substr(0, text.find_first_of("/?"));
    text.remove_prefix(to.authority.size());
    if (to.authority.empty())
      return error{ec::invalid_spec, "the target of the request names no host"};
    if (!text.starts_with('/'))
      to.path = "/";
  }
  auto mark = std::min(text.find('?'), text.size());
  to.path += text.substr(0, mark);
  to.query = text.substr(std::min(mark + 1, text.size()));
  return to;
}

bool is_authority(std::string_view text) {
  auto host = text.starts_with('[') ? std::min(text.find(']'), text.size() - 1) + 1
                                    : std::min(text.find(':'), text.size());
  auto port = text.substr(host);
  if (port.empty())
    return host > 0;
  if (host == 0 || port[0] != ':')
    return false;
  port.remove_prefix(1);
  std::uint16_t number = 0; // None is the usual one.
  auto read = std::from_chars(port.data(), port.data() + port.size(), number);
  return port.empty() || (read.ec == std::errc{} && read.ptr == port.data() + port.size());
}

std::optional<response> refuse_head(const headers& fields, bool is_old) {
  for (auto name : singles)
    if (fields.count(name) > 1)
      return problem_answer(refusal::repeated_header,
                            "the header " + std::string{name} + " stands more than once");
  return refuse_codings(fields, is_old);
}

bool names_tag(const headers& fields, std::string_view name, std::string_view tag) {
  return std::ranges::any_of(listed(fields, name), [tag](std::string_view x) {
    return x == "*" || x == tag || (x.starts_with("W/") && x.substr(2) == tag);
  });
}

bool waits_for_continue(const headers& fields, bool is_old) {
  auto expects = fields.find("Expect");
  return !is_old && expects && same_word(*expects, "100-continue");
}

bool is_utf8(const std::string* content_type) {
  std::string_view rest = content_type ? std::string_view{*content_type} : std::string_view{};
  while (!rest.empty()) {
    auto part = trimmed(rest.substr(0, rest.find(';')));
    rest.remove_prefix(std::min(rest.find(';'), rest.size() - 1) + 1);
    auto equals = part.find('=');
    if (equals == part.npos || !same_word(part.substr(0, equals), "charset"))
      continue;
    auto name = part.substr(equals + 1);
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"'))
      name = name.substr(1, name.size() - 2);
    if (!same_word(name, "utf-8") && !same_word(name, "utf8"))
      return false;
  }
  return true;
}

} // namespace troupe::http
