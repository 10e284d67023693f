#include "node/security/role_text.hpp"

#include "core/names.hpp"

#include <iterator>
#include <vector>

namespace troupe::node {

namespace {

constexpr std::string_view words[]{
    "look at jobs",         "make jobs",   "change jobs", "delete jobs",
    "do work for vertices", "manage keys", "read blobs",  "store blobs"};
static_assert(std::size(words) == std::size_t(last(action{})) + 1);

/// `` `operator` or `admin` ``.
std::string roles_that_may(action what) {
  std::string all;
  for (auto name : role_names())
    if (may(*parse_role(name), what))
      all += (all.empty() ? "" : " or ") + core::quoted(name);
  return all;
}

} // namespace

std::string_view words_of(action x) noexcept { return words[std::size_t(x)]; }

std::string denial(role who, action what, std::string_view more) {
  return "the key has the role " + core::quoted(to_string(who)) + ", which may not "
         + std::string{words_of(what)} + std::string{more} + "; " + roles_that_may(what) + " may";
}

} // namespace troupe::node
