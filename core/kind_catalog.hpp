#pragma once

#include "troupe/problem.hpp"
#include "troupe/value.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::core {

/// How a kind is run. Stands in no record.
enum class execution : std::uint8_t {
  inline_pure, ///< Costs nothing: in groups, by vertex actors.
  pooled_pure, ///< Pure, but slow or fragile: by a runner, without a start record.
  attempt,     ///< Impure: by a runner, once its start record is durable.
  timer,       ///< Waits for a recorded time.
  leased,      ///< Impure: by a worker outside, from the moment it has taken the vertex.
};

/// What a graph may say of a vertex of one kind.
struct kind_info {
  execution how = execution::attempt;
  bool holds_slot = true; ///< Counts toward `max_parallel`; a `delay` by its `hold`.
  /// Reports what is wrong with a config that stands at `pointer`.
  std::function<void(const value& config, const std::string& pointer, problems& errors)> check;
};

/// Every kind that this runtime can run, by name.
using kind_catalog = std::map<std::string, kind_info, std::less<>>;

/// Whether a C++ callable of this name is registered; unset: none is.
using function_known = std::function<bool(const std::string&)>;

/// The kinds in the box: `noop`, `delay`, `exec`, `jq`, `function`, `worker`.
kind_catalog builtin_kinds(function_known functions = {});

/// Whether an actor of this name is registered; unset: none is.
using actor_known = std::function<bool(const std::string&)>;

/// The kind `actor`: one of a host's own actors. Only for a runtime with such a host.
kind_info actor_kind(actor_known actors);

/// What a vertex of kind `worker` asks for.
struct worker_task {
  std::string queue; ///< Where workers look; the job's own unless the config names one.
  std::string name;  ///< What is to be done.
};
worker_task worker_task_of(const value& config, const std::string& job_queue);

/// Whether a vertex of this kind and config counts toward `max_parallel` while it runs: a timer by
/// its `hold`, any other as its kind says.
bool holds_slot(const kind_info& kind, const value& config) noexcept;

/// How a vertex is run, by its kind and by what its key `pure` promises, if anything. A timer stays
/// one, a `noop` inline; `pure: false` makes an attempt of all else; a pure function runs inline, a
/// pure `exec` in the pool. Without the key a `jq` program is pure if `jq_is_pure`.
execution how_to_run(const kind_info& info, const std::string& kind, const value& config,
                     std::optional<bool> pure);

/// Whether a jq program cannot tell when it runs: it does not use `now`, which in strings, comments
/// and keys is only a word. In doubt it is not pure.
bool jq_is_pure(std::string_view program);

} // namespace troupe::core
