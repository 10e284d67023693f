#pragma once

#include "node/console.hpp"

/// How keys are shown, as a file here or a node tells them. Each returns the exit code.
namespace troupe::node {

/// A key that was just made, with its secret in the member `key`. As a table only that goes to
/// standard output.
int show_new_key(console& to, const value& key, format how);

int show_keys(console& to, const value::list& keys, format how);

/// `note` stands behind it in a table.
int show_revoked(console& to, const std::string& id, const std::string& note, format how);

} // namespace troupe::node
