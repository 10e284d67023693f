#pragma once

#include "troupe/ids.hpp"
#include "troupe/value.hpp"

#include <chrono>
#include <string_view>

namespace troupe {

/// What a client is told of a job: numbered from 1, gapless, the same after every crash.
struct event {
  job_id job{};
  std::uint64_t id = 0;
  std::string_view type{}; ///< `state`, `vertex_start`, `end_vertex`, `log`, … `end`; static text.
  bool stream = false;     ///< May be trimmed; a *state* event is kept as long as its job.
  std::chrono::sys_time<std::chrono::milliseconds> time{};
  value data{};

  bool operator==(const event&) const = default;
};

} // namespace troupe
