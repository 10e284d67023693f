#pragma once

#include "node/client/transport.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace troupe::node {

/// What the command line says of where to look. The environment has `TROUPE_URL`, `TROUPE_TOKEN`
/// and `TROUPE_CA_FILE`.
struct target_options {
  std::optional<std::string> data, url, token, ca_file;
};

/// Where a verb looks: a data directory, or a node.
struct target {
  std::filesystem::path data; ///< Empty: the node.
  client::endpoint node;
  bool is_named = false; ///< Whether somebody has named it.

  bool is_node() const noexcept { return data.empty(); }
};

/// `--data`, else `--url` or `TROUPE_URL`, else `./.troupe` if it is there, else the node at
/// `client::default_url`. Faults: `bad_usage` for two of them, `bad_url`.
answer<target> target_of(const target_options& x);

/// ` --data DIR`, for a command that a user is told; empty for the usual directory. Pure.
std::string data_option(const std::filesystem::path& data);

/// The node, for verbs that only a node can do. Faults: as above.
answer<client::endpoint> node_of(const target_options& x);

} // namespace troupe::node
