#pragma once

#include "node/config/settings.hpp"

namespace troupe::node {

/// `retention.queues`: an object of queues, each with the ends that have rules of their own:
/// `{"mail": {"failed": {"age": "30d", "bytes": 0}}}`. What a queue leaves out is as in
/// `retention`, which must have been read before.
void read_queue_retention(const setting& s, node_config& to, value& from,
                          const graph_json::json_place& at, graph_json::problem_list& out);
value show_queue_retention(const node_config& from);

} // namespace troupe::node
