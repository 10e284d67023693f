#pragma once

#include "troupe/event.hpp"
#include "troupe/job_spec.hpp"

#include <span>

/// Tasks of the single-task routes: jobs of one vertex, as their clients know them. Pure; any
/// thread.
namespace troupe::http {

/// The queue of tasks, the worker task that they are, and the only vertex of their graph.
inline constexpr auto task_queue = "tasks";
inline constexpr auto task_name = "agent_task";

/// What `POST /api/tasks/submit` may say, in order of bytes.
std::span<const std::string_view> task_fields();

/// The states that a task may be in, with what they mean.
value task_statuses();

/// A state as a task tells it: `pending`, `running`, `paused`, `completed`, `failed`, `cancelled`,
/// `stopped`; a job that is about to end is `running`.
std::string_view task_status(job_state x) noexcept;
/// The state of this name, in letters of either case. Nothing if there is none.
std::optional<job_state> parse_task_status(std::string_view text);

/// The whole record: what was asked for, how it stands, what came of it. `moves` are its events of
/// type `state`, in order.
value task_record(const job_info& job, const value& asked, std::span<const event> moves);

/// The task as `GET /api/tasks/status` tells it.
value active_task(const job_info& job, const value& asked);
/// The same as `GET /api/tasks/detailed-status` does.
value detailed_task(const job_info& job, const value& asked, std::span<const event> moves);

} // namespace troupe::http
