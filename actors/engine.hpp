#pragma once

#include "actors/blob_writer.hpp"
#include "actors/environment.hpp"
#include "actors/kinds/function_registry.hpp"
#include "actors/store.hpp"
#include "actors/task_thread.hpp"
#include "storage/blob_sweeper.hpp"
#include "storage/scrub.hpp"
#include "troupe/stats.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <shared_mutex>

namespace troupe::actors {

/// What a program that has an actor system of its own gives to the engine.
struct engine_host {
  caf::actor_system* system = nullptr; ///< Null: the engine makes its own.
  core::kind_catalog kinds;            ///< Besides those in the box; each with a runner.
  environment::runner_map runners;
};

using shard_list = std::vector<std::shared_ptr<shard_context>>;

/// Nothing more is recorded: every shard answers with `why` from here on.
void fail(const shard_list& shards, const error& why);

/// What `environment::put_blob` of a node is, at any time, also after the node has gone: then it
/// answers `not_ready`. Trouble of the disk fails the shards that are there.
decltype(environment::put_blob) make_put_blob(std::weak_ptr<shard_list> shards,
                                              std::weak_ptr<blob_writer> writer);

/// How often the engine does by itself what nobody asks for, and when its snapshot has to grow.
struct engine_pace {
  storage::snapshot_pace snapshot;
  core::duration retention = limits::retention_interval;
  std::uint64_t map_bytes = limits::snapshot_map_bytes;
};

/// A node's actors over its store: what `runtime` is made of. Thread-safe once it is open.
class engine {
public:
  static result<std::unique_ptr<engine>> open(const runtime_config& config,
                                              runtime::functions functions, engine_host host = {},
                                              const engine_pace& pace = {});
  ~engine() { close(); }

  /// Sends `m` to the shard of its job; false if the engine is closing.
  template <class Message>
  bool send(job_id job, Message m) {
    return send(core::shard_of(slot_of(job), shards()), std::move(m));
  }
  template <caf::message_priority Priority = caf::message_priority::normal, class Message>
  bool send(core::shard_id id, Message m) {
    std::shared_lock lock{closing_};
    if (closed_ || core::index_of(id) >= shards_->size())
      return false;
    caf::anon_send<Priority>(contexts()[core::index_of(id)]->shard.get(), std::move(m));
    return true;
  }

  /// Names a fetch of a worker.
  std::uint64_t next_fetch() noexcept { return ++fetches_; }

  /// Sends `m` to the work board; false if the engine is closing.
  template <class Message>
  bool send_board(Message m) {
    std::shared_lock lock{closing_};
    if (closed_)
      return false;
    caf::anon_send(env_->work_board, std::move(m));
    return true;
  }

  /// Calls `f`, which uses the store on this thread; `close` waits for it. Errors: `not_ready`, and
  /// those of `f`, which returns a `result`.
  template <class F>
  auto while_open(F f) -> decltype(f()) {
    std::shared_lock lock{closing_};
    if (closed_)
      return error{ec::not_ready, "the runtime is closed"};
    return f();
  }

  std::uint16_t shards() const noexcept { return static_cast<std::uint16_t>(shards_->size()); }
  const std::shared_ptr<shard_context>& context(job_id job) const {
    return contexts()[core::index_of(core::shard_of(slot_of(job), shards()))];
  }
  shard_context& shard(job_id job) const { return *context(job); }
  const shard_list& contexts() const noexcept { return *shards_; }
  std::uint64_t incarnation() const noexcept { return incarnation_; }
  environment& env() noexcept { return *env_; }
  storage::blob_store& blobs() noexcept { return *store_.blobs; }
  /// The same for who may have it longer than the engine is open. Only inside of `while_open`.
  std::shared_ptr<storage::blob_store> shared_blobs() const noexcept { return store_.blobs; }
  /// What is told of the store. Only inside of `while_open`.
  store_stats stats() const;
  /// What the runners of attempts have in hand, by kind. Only inside of `while_open`.
  std::vector<limit_use> runners_use() const;
  /// `no_space` while the disk has no room for new jobs.
  status check_space() const { return core::space_for_jobs(env_->pressure()); }

  /// Sweeps blobs as of `now`, before the hour is over. Errors: those of `blob_sweeper::step`.
  status sweep(storage::blob_time now);

  /// Ends all that runs, waits for it, and gives the store back.
  void close();

private:
  struct caf_config : caf::actor_system_config {
    explicit caf_config(unsigned threads);
  };

  engine(const runtime_config& config, store x);

  void make_environment(const runtime_config& config, engine_host& host, const engine_pace& pace);
  void connect_blobs(environment& env);
  void make_shards();
  status start();
  void close_shards();
  void end_actors();

  store store_;
  std::uint64_t incarnation_ = 1;
  std::atomic<std::uint64_t> fetches_ = 0;
  std::unique_ptr<storage::scrubber> scrubber_; ///< Null in memory.
  std::unique_ptr<storage::blob_sweeper> sweeper_;
  std::shared_ptr<function_registry> functions_ = std::make_shared<function_registry>();
  std::shared_ptr<blob_writer> blob_writer_;
  std::shared_ptr<task_thread> result_reader_;
  std::shared_ptr<environment> env_ = std::make_shared<environment>();
  caf_config caf_config_;
  std::unique_ptr<caf::actor_system> own_system_;
  caf::actor_system* system_ = nullptr; ///< The own one, or the host's.
  std::shared_ptr<shard_list> shards_ = std::make_shared<shard_list>();
  caf::actor supervisor_;
  std::mutex close_mutex_;
  std::shared_mutex closing_;
  bool closed_ = false;
};

} // namespace troupe::actors
