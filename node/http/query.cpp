#include "node/http/query.hpp"

#include "core/names.hpp"
#include "core/utf8.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::http {

namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// The byte that `%XX` at this place stands for; negative if it is malformed.
int coded_byte(std::string_view text, std::size_t at) {
  auto high = at + 2 < text.size() ? digit_of(text[at + 1]) : -1;
  auto low = at + 2 < text.size() ? digit_of(text[at + 2]) : -1;
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool is_plain(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
         || (c > 0
             && std::string_view{"-._~:"}.find(static_cast<char>(c)) != std::string_view::npos);
}

std::optional<std::string> decoded_part(std::string_view text) {
  std::string plain{text};
  std::ranges::replace(plain, '+', ' ');
  return percent_decoded(plain);
}

error malformed(std::string_view part) {
  return {ec::invalid_spec, "the part " + core::quoted(part)
                                + " of the query is malformed: a % is followed by two hexadecimal "
                                  "digits, and what it stands for is UTF-8"};
}

} // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    auto c = coded_byte(text, i);
    if (c <= 0)
      return {};
    out += static_cast<char>(c);
    i += 2;
  }
  if (core::find_bad_utf8(out) != out.npos)
    return {};
  return out;
}

std::string with_plain_letters(std::string_view path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto coded = path[i] == '%';
    auto c = coded ? coded_byte(path, i) : -1;
    if (coded && c < 0)
      return std::string{path}; // Malformed: whoever reads its arguments refuses it.
    out += is_plain(c) ? static_cast<char>(c) : path[i];
    if (is_plain(c))
      i += 2;
  }
  return out;
}

result<query_arguments> parse_query(std::string_view text) {
  query_arguments all;
  while (!text.empty()) {
    auto part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (part.empty())
      continue;
    if (all.size() == limits::http_query_parts_max)
      return error{ec::invalid_spec, "the query has more than "
                                         + std::to_string(limits::http_query_parts_max)
                                         + " parameters"};
    auto equals = part.find('=');
    auto key = decoded_part(part.substr(0, equals));
    auto value = decoded_part(equals == part.npos ? "" : part.substr(equals + 1));
    if (!key || !value)
      return malformed(part);
    all.emplace(std::move(*key), std::move(*value));
  }
  return all;
}

status check_query(const query_arguments& query, std::span<const parameter> known) {
  for (auto& [key, ignored] : query) {
    auto found = std::ranges::find(known, std::string_view{key}, &parameter::name);
    if (found == known.end()) {
      std::vector<std::string_view> names;
      for (auto& x : known)
        names.push_back(x.name);
      auto rest = names.empty() ? "; it takes none" : "; it takes " + core::listed(names);
      return error{ec::invalid_spec, "there is no parameter " + core::quoted(key)
                                         + core::did_you_mean(key, names) + rest};
    }
    if (!found->may_repeat && query.count(key) > 1)
      return error{ec::invalid_spec, "the parameter " + core::quoted(key) + " stands twice"};
  }
  return {};
}

const std::string* find(const query_arguments& query, std::string_view name) {
  auto found = query.find(name);
  return found == query.end() ? nullptr : &found->second;
}

result<std::uint64_t> number_in(const query_arguments& query, std::string_view name,
                                std::uint64_t otherwise, std::uint64_t least, std::uint64_t most) {
  auto text = find(query, name);
  if (!text)
    return otherwise;
  std::uint64_t x = 0;
  auto end = text->data() + text->size();
  auto read = std::from_chars(text->data(), end, x);
  if (text->empty() || read.ec != std::errc{} || read.ptr != end || x < least || x > most)
    return error{ec::invalid_spec, core::quoted(name) + " is a number from " + std::to_string(least)
                                       + " to " + std::to_string(most) + ", not "
                                       + core::quoted(*text)};
  return x;
}

result<bool> flag_in(const query_arguments& query, std::string_view name) {
  auto text = find(query, name);
  if (!text || *text == "false")
    return false;
  if (*text == "true" || text->empty())
    return true;
  return error{ec::invalid_spec,
               core::quoted(name) + " is `true` or `false`, not " + core::quoted(*text)};
}

} // namespace troupe::http
