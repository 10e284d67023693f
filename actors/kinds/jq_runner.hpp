#pragma once

#include "actors/kinds/attempt_runner.hpp"
#include "troupe/error.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <vector>

namespace troupe::actors {

/// The helpers of `jq` vertices and their bounds.
struct jq_options {
  std::size_t helpers_max = 0;              ///< Processes; 0: one per core, at most 4.
  std::size_t memory_bytes_max = 512 << 20; ///< Address space of a helper (RLIMIT_AS).
  std::size_t programs_max = 256;           ///< Compiled ones that a helper keeps.
  core::duration run_max{10'000};           ///< A run without `timeouts`.
  std::filesystem::path helper;             ///< The program `troupe-jq`; empty: `find_jq_helper`.
};

/// Where the helper program is: `$TROUPE_JQ_HELPER`, beside this program, or in
/// `../libexec/troupe/` from there. Errors: `unsupported`; the detail says where it was looked for.
result<std::filesystem::path> find_jq_helper();

/// Runs the attempts of `jq` vertices in helper processes: libjq 1.6 cannot bound memory, aborts
/// when it runs out and shows the environment. A helper has an empty environment, cannot open a
/// file, and so has no modules; it runs one attempt at a time, keeps compiled programs, and is
/// killed when a run takes too long or is cancelled. A helper that died fails its own attempt only
/// and is replaced. Helpers are started when needed and never outlive this process.
///
/// The output of a vertex is the one output of its program; null if it has none. As in jq 1.6
/// itself, numbers are doubles: integers beyond 2^53 lose their last digits, also those that are
/// only passed through.
///
/// Problem codes: `jq_compile`, `jq_error`, `jq_outputs`, `jq_limit` (memory or `run_max`),
/// `jq_crashed`, `timed_out`, `cancelled`, `unsupported`, `spawn_failed`, `invalid_config`,
/// `bad_output`.
class jq_runner final : public attempt_runner {
public:
  explicit jq_runner(jq_options options = {});
  /// Kills the helpers. What was not reported is reported as `cancelled`.
  ~jq_runner() override;

  void start(attempt x, report done, log say) override;
  void cancel(core::token proof, core::duration grace) override;
  std::optional<runner_use> use() const override;

  /// The process ids of the helpers that live, for tests and people.
  std::vector<int> helper_pids() const;

private:
  class service;
  std::unique_ptr<service> service_;
};

} // namespace troupe::actors
