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

/// How much a client wants one type.
struct wish {
  int weight = 0; ///< In thousandths.
  int named = -1; ///< How exactly it is named: 0 as any, 1 as any of its kind, 2 as itself.
};

/// How exactly a range of a list, without its parameters, names a type; -1: it does not.
int names_type(std::string_view range, std::string_view type) {
  if (same_word(range, type))
    return 2;
  auto kind = type.substr(0, type.find('/') + 1);
  if (range.size() == kind.size() + 1 && range.ends_with('*')
      && same_word(range.substr(0, kind.size()), kind))
    return 1;
  return range == "*/*" ? 0 : -1;
}

/// `0.25` as 250; nothing unless it is a number from 0 to 1 with at most three decimals.
std::optional<int> thousandths_of(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[1] != '.'))
    return {};
  std::string digits{text.substr(0, 1)};
  digits += text.size() > 2 ? text.substr(2) : "";
  if (digits.find_first_not_of("0123456789") != digits.npos)
    return {};
  digits.resize(4, '0');
  auto weight = std::stoi(digits);
  return weight <= 1000 ? std::optional{weight} : std::nullopt;
}

/// The weight that stands behind a range; other parameters are ignored.
std::optional<int> weight_in(std::string_view parameters) {
  while (!parameters.empty()) {
    auto part = parameters.substr(0, parameters.find(';'));
    parameters.remove_prefix(std::min(part.size() + 1, parameters.size()));
    part = trimmed(part);
    if (part.starts_with("q=") || part.starts_with("Q="))
      return thousandths_of(part.substr(2));
  }
  return 1000;
}

/// The range that names the type most exactly counts.
wish wish_for(const headers& fields, std::string_view type) {
  wish found;
  for (auto x : listed(fields, "Accept")) {
    auto range = x.substr(0, x.find(';'));
    auto weight = weight_in(x.substr(range.size()));
    if (auto named = names_type(trimmed(range), type); weight && named > found.named)
      found = {*weight, named};
  }
  return found;
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

bool prefers(const headers& fields, std::string_view type, std::string_view usual) {
  auto other = wish_for(fields, type), first = wish_for(fields, usual);
  auto is_named = other.named == 2 && other.weight > 0;
  return other.weight > first.weight || (is_named && other.weight == first.weight);
}

bool accepts(const headers& fields, std::string_view type) {
  return !fields.find("Accept") || wish_for(fields, type).weight > 0;
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
