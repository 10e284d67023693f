#include "actors/work_token.hpp"

#include "troupe/ids.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace troupe::actors {

namespace {

constexpr std::string_view version = "w1";
constexpr std::size_t parts = 5;

/// The parts between dots, if there are just so many.
std::optional<std::array<std::string_view, parts>> split(std::string_view text) {
  std::array<std::string_view, parts> all;
  for (std::size_t i = 0; i < parts; ++i) {
    auto dot = text.find('.');
    if ((dot == text.npos) != (i + 1 == parts))
      return {};
    all[i] = text.substr(0, dot);
    text.remove_prefix(dot == text.npos ? text.size() : dot + 1);
  }
  return all;
}

template <class T>
bool read(std::string_view text, T& x) {
  auto end = text.data() + text.size();
  auto done = std::from_chars(text.data(), end, x);
  return done.ec == std::errc{} && done.ptr == end;
}

} // namespace

std::string to_string(const work_token& x) {
  auto dot = std::string{"."};
  return std::string{version} + dot + std::to_string(x.incarnation) + dot + troupe::to_string(x.job)
         + dot + std::to_string(x.vertex) + dot
         + troupe::to_string(job_id{x.proof.high, x.proof.low});
}

result<work_token> parse_work_token(const std::string& text, std::uint64_t incarnation) {
  auto found = split(text);
  work_token x;
  auto job = found ? parse_job_id((*found)[2]) : std::nullopt;
  auto proof = found ? parse_job_id((*found)[4]) : std::nullopt;
  if (!job || !proof || (*found)[0] != version || !read((*found)[1], x.incarnation)
      || !read((*found)[3], x.vertex))
    return error{ec::invalid_spec, "this is no token of work; give the one that came with it"};
  if (x.incarnation != incarnation)
    return error{ec::stale_token, "the token is of a store that was replaced by a backup"};
  x.job = *job;
  x.proof = {proof->high, proof->low};
  return x;
}

} // namespace troupe::actors
