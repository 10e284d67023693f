#pragma once

#include "troupe/ids.hpp"
#include "troupe/problem.hpp"
#include "troupe/states.hpp"
#include "troupe/value.hpp"

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

using time_point = std::chrono::sys_time<std::chrono::milliseconds>;

/// Take over what an earlier job of the same graph has recorded.
struct reuse_spec {
  job_id job{};         ///< Whose results.
  std::string vertex{}; ///< This one and all that depend on it run again; empty: what did not
                        ///< succeed, and all that depends on that. The others do not.
};

/// What a job is made from.
struct job_spec {
  namespace_id ns{};
  std::string queue = "default";
  graph_id graph{}; ///< Registered before.
  value input{};    ///< Every vertex sees it as the member `job` of its inputs.
  std::map<std::string, std::string> labels{};
  std::uint32_t max_parallel = 0; ///< Vertices that hold a slot at once; 0: no limit of its own.
  std::optional<reuse_spec> reuse{};
  /// The same request with the same key gives the same job, for as long as that is not ended, and
  /// 24 hours more; any other request with it is refused. 1 to 255 printable ASCII characters
  /// without spaces, within namespace and queue; empty: none.
  std::string idempotency_key{};
  /// What tells two requests with the same key apart, such as the SHA-256 of a message; at most 64
  /// bytes. Empty: all that stands here.
  std::string request_digest{};
  /// How long the job is kept once it has ended; nothing: as its queue has it.
  std::optional<std::chrono::milliseconds> retention{};
  /// If it has not begun by then it has failed, with the code `expired`; nothing: it waits without
  /// an end. A paused job does not expire before it is resumed.
  std::optional<time_point> expires_at{};
  /// The same, counted from the moment at which it is recorded. With both, the earlier one holds.
  std::optional<std::chrono::milliseconds> expires_after{};
};

/// What came of a request to make a job.
struct submitted {
  job_id id;
  bool replayed = false; ///< An earlier request with the same idempotency key has made it.
  bool operator==(const submitted&) const = default;
};

/// What is known of a job. Times that have not come are zero.
struct job_info {
  job_id id{};
  namespace_id ns{};
  job_state state = job_state::pending;
  std::string queue{};
  graph_id graph{};
  std::string graph_name{};
  std::map<std::string, std::string> labels{};
  time_point created{}, started{}, ended{};
  time_point expires_at{};                          ///< It has to begin by then.
  problem error{};                                  ///< Why it has failed.
  std::uint64_t events = 0;                         ///< The number of its newest event.
  std::uint32_t vertices = 0;                       ///< In its graph; 0 before it has begun.
  std::array<std::uint32_t, vertex_states> count{}; ///< Vertices in each state.
  std::optional<job_id> retry_of{};
  value result{};                      ///< Once it has completed.
  std::vector<std::string> messages{}; ///< What it was told, in order; see `runtime::add_message`.

  std::uint32_t in(vertex_state x) const noexcept { return count[static_cast<unsigned>(x)]; }
};

/// What is known of one vertex of a job.
struct vertex_info {
  std::string id{};
  std::string kind{};
  vertex_state state = vertex_state::waiting;
  std::uint32_t attempts = 0; ///< Begun ones; 1 at least of a pure one that succeeded.
  problem error{};            ///< Of its last failure.
};

/// Some vertices of a job, in the order of its graph.
struct vertex_list {
  namespace_id ns{};
  std::vector<vertex_info> vertices{}; ///< Empty before the job has begun.
  std::optional<std::uint32_t> next{}; ///< Where the next part begins; nothing: there is none.
};

/// What a step asks of a job.
enum class job_change : std::uint8_t { cancel, stop, pause, resume };

/// Which jobs a list holds, or a purge deletes. Newest first. What is not set does not matter.
struct job_filter {
  std::optional<job_state> state{};
  std::optional<std::string> queue{};
  bool unfinished = false; ///< Only those that have not ended.
  std::size_t limit = 100;
  std::optional<namespace_id> ns{};
  std::map<std::string, std::string> labels{}; ///< All of them, with these values.
  std::optional<job_id> before{};              ///< Only jobs before this one in the list's order.
  std::optional<time_point> ended_before{};    ///< Only those that had ended before then.
  /// Only those whose id begins with this, or that have it in the name of their graph or queue, or
  /// in a label's name or value; letters of ASCII in either case. Such a list looks at fewer jobs
  /// for one page. Empty: all.
  std::string text{};
};

/// A part of a list. It may be shorter than asked for, even empty, and still have a next one.
struct job_list {
  std::vector<job_info> jobs{};
  std::optional<job_id> next{}; ///< The `before` of the next part; nothing: there is none.
};

} // namespace troupe
