#pragma once

#include "node/errors.hpp"
#include "node/job_query.hpp"
#include "troupe/job_spec.hpp"

#include <optional>
#include <string>
#include <utility>

namespace troupe::node {

/// The state that a user names; nothing if none is named. Faults: `bad_usage`.
answer<std::optional<job_state>> state_of(const std::optional<std::string>& name);

/// What a data directory is asked for. Faults: `bad_usage`.
answer<job_filter> filter_of(const job_query& x);

/// The same for verbs about jobs that have ended. Faults: `bad_usage`, also for another state.
answer<job_filter> ended_filter_of(const job_query& x);

/// The same for verbs about jobs that have not ended. Faults: `bad_usage`, also for another state.
answer<job_filter> unfinished_filter_of(const job_query& x);

/// `NAME=VALUE` as its two parts. Faults: `bad_usage`.
answer<std::pair<std::string, std::string>> label_of(const std::string& text);

} // namespace troupe::node
