#pragma once

#include "node/console.hpp"
#include "node/security/key_file.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace troupe::node {

/// Where keys and audit lines are: as a configuration file says, or below a data directory.
struct security_places {
  std::string config; ///< Empty: none is read.
  std::string data;   ///< The data directory, if no configuration was named.
};

/// What a new key is to be.
struct key_wish {
  role what = role::operator_;
  std::string name = "unnamed";
  std::optional<std::uint32_t> ns; ///< The namespace that it opens; unset: the usual one.
};

/// Makes a key, of namespace 0 unless `wish` names one, and prints it; nobody can print it again.
int create_key(console& to, const security_places& at, const key_wish& wish, format how);
int list_keys(console& to, const security_places& at, format how);
int revoke_key(console& to, const security_places& at, const std::string& id, format how);

/// Checks the whole audit log; with `head`, also whether that line is still in it.
int verify_audit(console& to, const security_places& at, const std::optional<std::string>& head,
                 format how);

/// Why a node must not listen at an address; nothing if it may. Pure.
std::optional<trouble> exposure(const std::string& address, bool has_keys);

} // namespace troupe::node
