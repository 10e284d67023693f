#pragma once

#include "node/client/transport.hpp"
#include "node/security_commands.hpp"

/// The verbs of `troupe keys`, asked of a node. Each returns its exit code.
namespace troupe::node {

/// Makes a key, of the asking key's namespace unless `wish` names one, and prints it.
int create_node_key(console& to, const client::endpoint& at, const key_wish& wish, format how);

/// The keys of the asking key's namespace.
int list_node_keys(console& to, const client::endpoint& at, format how);

int revoke_node_key(console& to, const client::endpoint& at, const std::string& id, format how);

} // namespace troupe::node
