#include "node/security/key_rules.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

/// Without a key somebody is let in only while there is none.
bool is_gone(const principal& who, const std::vector<stored_key>& there) {
  return who.key.empty() ? !there.empty()
                         : std::ranges::find(there, who.key, &stored_key::id) == there.end();
}

} // namespace

key_verdict may_create(const principal& who, role what, namespace_id ns,
                       const std::vector<stored_key>& there) {
  if (is_gone(who, there))
    return key_verdict::caller_gone;
  if (ns != who.ns)
    return key_verdict::other_namespace;
  return there.empty() && what != role::admin ? key_verdict::first_not_admin : key_verdict::allowed;
}

key_verdict may_revoke(const principal& who, std::string_view id,
                       const std::vector<stored_key>& there) {
  if (is_gone(who, there))
    return key_verdict::caller_gone;
  auto found = std::ranges::find(there, id, &stored_key::id);
  if (found == there.end() || found->ns != who.ns)
    return key_verdict::no_such_key;
  return id == who.key ? key_verdict::own_key : key_verdict::allowed;
}

std::vector<stored_key> keys_of(const principal& who, std::vector<stored_key> there) {
  std::erase_if(there, [&](auto& x) { return x.ns != who.ns; });
  return there;
}

} // namespace troupe::node
