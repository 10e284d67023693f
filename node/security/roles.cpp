#include "node/security/roles.hpp"

#include <algorithm>
#include <iterator>

namespace troupe::node {

namespace {

constexpr std::string_view names[]{"viewer", "worker", "operator", "admin"};
constexpr std::string_view actions[]{"look", "submit",      "control",    "remove",
                                     "work", "manage_keys", "read_blobs", "store_blobs"};

// By action, then by role in the order of `role`.
// clang-format off
constexpr bool allowed[][4]{
    // viewer worker operator admin
    {true,    false, true,    true}, // look
    {false,   false, true,    true}, // submit
    {false,   false, true,    true}, // control
    {false,   false, true,    true}, // remove
    {false,   true,  false,   true}, // work
    {false,   false, false,   true}, // manage_keys
    {true,    true,  true,    true}, // read_blobs
    {false,   true,  true,    true}, // store_blobs
};
// clang-format on

static_assert(std::size(names) == std::size_t(last(role{})) + 1);
static_assert(std::size(allowed) == std::size_t(last(action{})) + 1);

} // namespace

std::string_view to_string(role x) noexcept { return names[std::size_t(x)]; }

std::optional<role> parse_role(std::string_view text) noexcept {
  auto found = std::ranges::find(names, text);
  if (found == std::end(names))
    return {};
  return role(found - std::begin(names));
}

std::span<const std::string_view> role_names() noexcept { return names; }

std::string_view to_string(action x) noexcept { return actions[std::size_t(x)]; }

bool may(role who, action what) noexcept { return allowed[std::size_t(what)][std::size_t(who)]; }

} // namespace troupe::node
