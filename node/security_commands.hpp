#pragma once

#include "node/config/node_config.hpp"
#include "node/console.hpp"
#include "node/security/key_file.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace troupe::node {

/// Where keys and audit lines are: as the configuration says, a file or the environment.
struct security_places {
  std::string config;              ///< Empty: no file is read.
  std::optional<std::string> data; ///< The data directory; goes before the environment.
};

/// The configuration that tells where the things of a node are. A file and a data directory are
/// not taken together. Faults: `bad_usage`, those of `load_config`.
answer<node_config> places_of(console& to, const security_places& at);

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

/// Why a node must not listen at its address; nothing if it may. `file`: of its configuration, if
/// there is one. Pure.
std::optional<trouble> exposure(const node_config& x, const std::string& file, bool has_keys);

/// What is told of a node that listens at every address of its machine, and knows no name of it:
/// it refuses all who do not call it `localhost`. Nothing of another node. Pure.
std::optional<std::string> unnamed_hosts(const node_config& x);

/// What is told of a file of keys that cannot be read. `x`: of `read_keys`.
trouble keys_trouble(const error& x);

/// The command that makes the first key of a node. Pure.
std::string first_key_command(const node_config& x, const std::string& file);

} // namespace troupe::node
