#pragma once

#include "node/client/transport.hpp"
#include "node/console.hpp"
#include "node/job_commands.hpp"
#include "node/logs_command.hpp"

/// The verbs of `troupe jobs` that look, asked of a node. Each returns its exit code.
namespace troupe::node {

/// Jobs, newest first. `options.data` does not matter, here and below.
int list_node_jobs(console& to, const client::endpoint& at, const list_options& options,
                   format how);

/// One job, its failures and its result.
int get_node_job(console& to, const client::endpoint& at, const std::string& id, format how);

/// What the vertices of a job said.
int show_node_logs(console& to, const client::endpoint& at, const logs_options& options,
                   format how);

} // namespace troupe::node
