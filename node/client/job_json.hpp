#pragma once

#include "troupe/event.hpp"
#include "troupe/job_spec.hpp"

#include <optional>

/// Jobs and events as a node's JSON tells them. Pure, but for what `read_event` says.
namespace troupe::client {

/// What `node::to_value(job_info)` wrote; `result`, if it is there. Nothing if it is no job.
std::optional<job_info> read_job(const value& x);

/// Whether this tells of a job that an earlier request has made, and that was deleted since.
bool is_gone(const value& x);

/// What is told of such a job; its state is not known. Nothing if it is no job.
std::optional<job_info> read_gone(const value& x);

/// What `node::to_value(event)` wrote. Nothing if it is no event. Names of types that this version
/// does not know are kept for the process's life, at most `event_types_max` of them; then `other`.
std::optional<event> read_event(const value& x);

inline constexpr std::size_t event_types_max = 100;

} // namespace troupe::client
