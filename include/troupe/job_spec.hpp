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

/// Take over what an earlier job of the same graph has recorded.
struct reuse_spec {
  job_id job{};         ///< Whose results.
  std::string vertex{}; ///< This one and all that depend on it run again; the others do not.
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
};

using time_point = std::chrono::sys_time<std::chrono::milliseconds>;

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
  problem error{};                                  ///< Why it has failed.
  std::uint64_t events = 0;                         ///< The number of its newest event.
  std::uint32_t vertices = 0;                       ///< In its graph; 0 before it has begun.
  std::array<std::uint32_t, vertex_states> count{}; ///< Vertices in each state.
  std::optional<job_id> retry_of{};
  value result{}; ///< Once it has completed.

  std::uint32_t in(vertex_state x) const noexcept { return count[static_cast<unsigned>(x)]; }
};

/// Which jobs a list holds. Newest first.
struct job_filter {
  std::optional<job_state> state{};
  std::optional<std::string> queue{};
  bool unfinished = false; ///< Only those that have not ended.
  std::size_t limit = 100;
};

} // namespace troupe
