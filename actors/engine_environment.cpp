#include "actors/engine.hpp"
#include "actors/kinds/exec_runner.hpp"
#include "actors/kinds/function_runner.hpp"
#include "actors/kinds/jq_runner.hpp"
#include "actors/kinds/lazy_runner.hpp"

#include <sys/random.h>

namespace troupe::actors {

namespace {

/// The kernel's source of chance, read a buffer at a time: tokens must not be guessed.
std::uint64_t system_bits() {
  struct buffer {
    std::array<std::uint64_t, 64> bits;
    std::size_t used = 64;
  };
  thread_local buffer own;
  if (own.used == own.bits.size()) {
    if (::getrandom(own.bits.data(), sizeof own.bits, 0) != ssize_t(sizeof own.bits))
      std::abort(); // Buffers of this size are filled at once, once the kernel has booted.
    own.used = 0;
  }
  return own.bits[own.used++];
}

core::random_bits system_random() { return system_bits; }

/// How long a runtime with this configuration keeps ended jobs.
storage::retention_rules rules_of(const runtime_config& config) {
  return [all = config.retention, own = config.queue_retention](
             namespace_id, const std::string& queue, core::job_state state) {
    auto found = own.find(queue);
    auto& policy = found == own.end() ? all : found->second;
    auto& x = state == job_state::failed      ? policy.failed
              : state == job_state::cancelled ? policy.cancelled
              : state == job_state::stopped   ? policy.stopped
                                              : policy.completed;
    return storage::retention_rule{x.age, x.bytes};
  };
}

/// How far a store is behind, and its space; nothing of what has been closed.
std::function<core::pressure()> pressure_of(const store& x, std::function<std::size_t()> blobs) {
  return
      [writer = std::weak_ptr{x.writer}, disk = std::weak_ptr{x.guard}, blobs = std::move(blobs)] {
        core::pressure now;
        if (auto open = writer.lock()) {
          auto lag = open->lag();
          now = {lag.bytes + blobs(), lag.soft, lag.hard};
        }
        if (auto guard = disk.lock(); guard && !guard->admits()) {
          auto state = guard->state();
          now.space = false;
          now.free_bytes = state.free_bytes;
          now.needed_bytes = state.needed_bytes();
        }
        return now;
      };
}

actor_settings settings_of(const runtime_config& config) {
  actor_settings x;
  x.running_jobs_max = config.running_jobs_max;
  x.cleanup_grace = config.cleanup_grace;
  x.cancel_grace = config.cancel_grace;
  x.hold_recovered = config.hold_recovered;
  x.retention = rules_of(config);
  return x;
}

/// Who runs the attempts of the built-in kinds; each begins with its first attempt.
environment::runner_map make_runners(const runtime_config& config,
                                     std::shared_ptr<function_registry> all,
                                     const std::filesystem::path& run_dir) {
  exec_options exec;
  exec.parallel_max = config.exec_parallel_max;
  exec.run_dir = run_dir;
  jq_options jq;
  jq.helpers_max = config.jq_helpers_max;
  jq.helper = config.jq_helper;
  function_options functions;
  functions.threads = config.function_threads;
  environment::runner_map made;
  made["exec"] = make_lazy([exec] { return std::make_unique<exec_runner>(exec); });
  made["jq"] = make_lazy([jq] { return std::make_unique<jq_runner>(jq); });
  made["function"] =
      make_lazy([functions, all] { return std::make_unique<function_runner>(all, functions); });
  return made;
}

attempt_report call_inline(const function_registry& functions, const attempt& x) {
  problem wrong;
  auto found = find_function(functions, x, wrong);
  if (!found)
    return {attempt_end::failed, {}, std::move(wrong)};
  return call(*found, x, [](std::string) {}, {});
}

} // namespace

// A host's actor may still answer while all is closed: nothing of the engine itself is taken along.
decltype(environment::put_blob) make_put_blob(std::weak_ptr<shard_list> shards,
                                              std::weak_ptr<blob_writer> writer) {
  return [shards = std::move(shards), writer = std::move(writer)](namespace_id ns, core::bytes data,
                                                                  environment::blob_put then) {
    auto open = writer.lock();
    if (!open)
      return then(error{ec::not_ready, "the runtime is closed"});
    open->put(ns, std::move(data),
              [shards, then = std::move(then)](const result<core::blob_ref>& stored) {
                if (auto all = shards.lock(); all && !stored)
                  fail(*all, stored.error()); // Trouble of the disk is no failure of a vertex.
                then(stored);
              });
  };
}

/// Where values beyond a record go and come from.
void engine::connect_blobs(environment& env) {
  env.graphs = std::make_shared<graph_store>(store_.blobs, [this] { return check_space(); });
  env.put_blob = make_put_blob(shards_, blob_writer_);
  env.get_blob = [blobs = store_.blobs](namespace_id ns, const core::blob_ref& ref) {
    return blobs->get(ns, ref.sha256);
  };
  env.read_beside = [reader = std::weak_ptr{result_reader_}](std::function<void()> task) {
    auto open = reader.lock();
    return open && open->post(std::move(task));
  };
  env.blob_bytes_waiting = [writer = std::weak_ptr{blob_writer_}] {
    auto x = writer.lock();
    return x ? x->bytes_waiting() : 0;
  };
}

void engine::make_environment(const runtime_config& config, engine_host& host,
                              const engine_pace& pace) {
  blob_writer_ = std::make_shared<blob_writer>(store_.blobs, store_.guard, config.space_wait);
  result_reader_ = std::make_shared<task_thread>(limits::result_reads_max);
  auto& env = *env_;
  connect_blobs(env);
  env.pressure = pressure_of(store_, env.blob_bytes_waiting);
  env.make_random = system_random;
  env.report = config.report;
  env.observer = config.observer;
  env.settings = settings_of(config);
  env.settings.retention_interval = pace.retention;
  env.kinds = core::builtin_kinds(
      [all = functions_](const std::string& name) { return all->find(name) != nullptr; });
  env.call_inline = [all = functions_](const attempt& x) { return call_inline(*all, x); };
  env.is_pure_function = [all = functions_](const std::string& name) {
    auto found = all->find(name);
    return found && found->pure;
  };
  auto run_dir = store_.directory ? store_.directory->path() / "exec" : std::filesystem::path{};
  env.runners = make_runners(config, functions_, run_dir);
  env.kinds.merge(host.kinds);
  env.runners.merge(host.runners);
}

} // namespace troupe::actors
