#pragma once

#include "node/security/key_file.hpp"

#include <string_view>
#include <vector>

/// Which keys a caller of the node may make and revoke. Pure; any thread.
namespace troupe::node {

/// Whether a change of keys is allowed, or why not.
enum class key_verdict : std::uint8_t {
  allowed,
  caller_gone,     ///< The caller's own key was revoked, or keys came to be and it has none.
  other_namespace, ///< A caller makes keys of its own namespace only.
  no_such_key,     ///< Not in the caller's namespace.
  own_key, ///< Nobody revokes the key that asks: so one that may make others is always left.
  first_not_admin, ///< From the first key on each caller needs one, and nobody could make more.
};

constexpr key_verdict last(key_verdict) noexcept { return key_verdict::first_not_admin; }

/// Whether `who`, who may manage keys, may make such a key beside those that are there.
key_verdict may_create(const principal& who, role what, namespace_id ns,
                       const std::vector<stored_key>& there);

/// Whether `who` may revoke a key.
key_verdict may_revoke(const principal& who, std::string_view id,
                       const std::vector<stored_key>& there);

/// The keys that `who` may see: those of its namespace, in the order of their making.
std::vector<stored_key> keys_of(const principal& who, std::vector<stored_key> there);

} // namespace troupe::node
