#pragma once

#include "node/http/graph_door.hpp"
#include "node/http/problem.hpp"
#include "node/http/query.hpp"
#include "node/http/router.hpp"
#include "node/http/work_pool.hpp"
#include "node/security/key_ring.hpp"
#include "troupe/runtime.hpp"

/// What the HTTP interface of a node does: routes on its runtime.
namespace troupe::http {

inline constexpr std::uint64_t blob_bytes_usual = std::uint64_t{1} << 30;

/// Whether a queue has one unfinished job at most, and what becomes of a request for another.
enum class exclusive_rule : std::uint8_t { none, refuse, wait };

/// A part of the node that has to be well for jobs to be made.
struct ready_part {
  std::string name; ///< A word.
  status now;       ///< Why jobs are refused.
};

/// What the routes stand on. The runtime must outlive the server that has them.
struct api_parts {
  runtime& node;
  std::function<bool(std::string_view kind)> allows_kind{}; ///< Unset: all.
  /// In Prometheus' text format, with the limits of this interface, too.
  std::function<std::string(std::vector<limit_use>)> metrics{};
  bool metrics_need_key = false;
  std::function<std::string()> new_trace{}; ///< Of a job that comes without one. Unset: none.
  std::function<void(int)> readers{};       ///< Told that readers of events come (1) and go (-1),
  /// that an event leaves so long after it became durable, and how long its client took to take it.
  std::function<void(std::chrono::nanoseconds)> event_queued{}, event_taken{};
  /// Told of a reader of events that was cut off, having taken nothing for too long.
  std::function<void(std::string_view request, job_id job)> reader_cut{};
  std::function<std::vector<ready_part>()>
      ready_parts{};                               ///< Beside the runtime. May read the disk.
  std::uint64_t blob_bytes_max = blob_bytes_usual; ///< What `PUT` of a blob takes.
  std::function<exclusive_rule(std::string_view queue)> exclusive{}; ///< Unset: no queue is.
  /// Told of who was refused for want of room, with the word for that; must not block.
  std::function<void(std::string_view reason)> rejected{};
  troupe::node::key_ring* keys = nullptr; ///< Who may call; null: nobody can be told.
};

inline constexpr unsigned bulk_runs_max = 2; ///< Requests for all jobs of a filter, at once.

/// The same for all routes; every one holds it. Its pool must be ended before the runtime is
/// destroyed, and while the server is there.
struct api {
  explicit api(const api_parts& parts)
      : node(parts.node), graphs(parts.node, parts.allows_kind, parts.rejected), outside(parts) {}

  /// The queue of `/api/tasks` has one unfinished job at most, whatever the settings say.
  exclusive_rule rule_of(std::string_view queue) const;

  runtime& node;
  graph_door graphs;
  api_parts outside;
  std::atomic<unsigned> bulk_runs{0};
  work_pool pool{limits::http_work_threads, limits::http_work_waiting_max};
};
using api_ptr = std::shared_ptr<api>;

/// All routes, each once.
std::vector<route> api_routes(const api_ptr& to);
std::vector<route> api_routes(const api_parts& parts);

void add_submit_routes(const api_ptr& to, std::vector<route>& all);
void add_batch_route(const api_ptr& to, std::vector<route>& all);
void add_job_routes(const api_ptr& to, std::vector<route>& all);
void add_bulk_routes(const api_ptr& to, std::vector<route>& all);
void add_retry_route(const api_ptr& to, std::vector<route>& all);
void add_event_route(const api_ptr& to, std::vector<route>& all);
void add_work_routes(const api_ptr& to, std::vector<route>& all);
void add_graph_routes(const api_ptr& to, std::vector<route>& all);
void add_blob_routes(const api_ptr& to, std::vector<route>& all);
void add_flow_routes(const api_ptr& to, std::vector<route>& all);
void add_task_routes(const api_ptr& to, std::vector<route>& all);
void add_key_routes(const api_ptr& to, std::vector<route>& all);
void add_node_routes(const api_ptr& to, std::vector<route>& all);

/// A handler that gets `api`.
inline auto bound(const api_ptr& to, void (*act)(const api_ptr&, const call_ptr&)) {
  return [to, act](const call_ptr& x) { act(to, x); };
}

/// Has `task` done by the pool; if too much waits there, the call is answered with that. `bytes`:
/// what it holds beside the call's body.
void on_pool(const api_ptr& in, const call_ptr& x, std::function<void()> task,
             std::size_t bytes = 0);

/// As `bound`; a large body is read by the pool, not by a thread that serves connections.
inline auto bound_by_size(const api_ptr& to, void (*act)(const api_ptr&, const call_ptr&)) {
  return [to, act](const call_ptr& x) {
    if (x->in.body.size() <= limits::http_small_body_bytes)
      return act(to, x);
    on_pool(to, x, [to, act, x] { act(to, x); });
  };
}

/// Answers that there is no room for a request now, and counts that.
void refuse_for_now(const api_ptr& in, const call_ptr& x, std::string why);

/// Answers with a problem.
inline void refuse(const call_ptr& x, const error& why) { x->out(problem_answer(why)); }

/// Looks a job up for its caller: `then` is called with it, or the call is answered.
void with_job(const api_ptr& in, const call_ptr& x, std::function<void(const job_info&)> then);

/// Whether the caller's namespace has the job; if not, the call is answered as if it were not
/// there.
bool may_see(const call_ptr& x, const job_info& job);

/// A job as `GET /v1/jobs/{job}` shows it.
response job_answer(int status, const job_info& job);

/// Whether the query has a parameter that is not `known`; then the call is answered.
bool has_bad_query(const call_ptr& x, std::span<const parameter> known);

/// What `on_disconnect` says: whether a job is cancelled when who waits for it goes. Nothing: it is
/// malformed, or the caller must not cancel, and the call is answered.
std::optional<bool> cancels_on_disconnect(const call_ptr& x);

/// The members of a body that may be left out; the call is answered if it is malformed. `known` may
/// be empty.
std::optional<value> members_of(const call_ptr& x, std::span<const std::string_view> known);

/// The query's `state`, `queue`, `label`s, `q` and `ended_before`; the call is answered if one is
/// malformed.
std::optional<job_filter> filter_of(const call_ptr& x);

} // namespace troupe::http
