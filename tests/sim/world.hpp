#pragma once

#include "actors/environment.hpp"
#include "messages/job.hpp"
#include "storage/snapshot_writer.hpp"
#include "tests/sim/sim_journal.hpp"
#include "tests/sim/sim_runner.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <deque>
#include <optional>
#include <random>
#include <set>

namespace troupe::tests {

/// Thrown by a failpoint: the node is dead from here on.
struct node_died {};

/// What one client was told about one job.
struct told {
  bool accepted = false;
  bool may_be_gone = false; ///< Its deletion was asked for, or its time may be over.
  bool gone = false;        ///< Its deletion was told.
  std::vector<event> events;
  std::uint64_t first_live = 0;
  std::vector<std::pair<core::job_request, status>> moves;
  std::vector<event> durable; ///< What the records of its job make, so far as they were read.
  storage::view::replay_state replayed;
};

/// A node of real actors under a scheduler, a clock, a disk and runners that one seed drives. The
/// journal, the snapshot, the blobs, the runner's effects and what clients were told outlive its
/// crashes.
class world {
public:
  world(std::uint64_t seed, std::uint16_t shards);
  ~world();

  void start();
  /// Ends the node as SIGKILL does; what was not durable is lost, or happens to be durable.
  void crash();

  /// Does one thing, chosen by the seed: an actor's turn, a write, an attempt's end, or, if there
  /// is nothing else, the next timer. False if nothing is left to do. May throw `node_died`.
  bool step();
  /// Steps until nothing is left but `idle_timers` of housekeeping, or the node dies.
  void run();
  /// Runs until all jobs have ended; a node that dies is started again.
  void live();
  /// Only actors' turns and writes, no time.
  void settle();
  void advance(core::duration x);
  /// Time goes by while the node is down.
  void sleep(core::duration x) { elapsed_ += x; }

  void submit(const graph_spec& g, std::string queue, std::uint32_t max_parallel = 0,
              std::string idempotency_key = {});
  void remove(job_id id);
  void move(job_id id, core::job_request on);
  /// The shard's actor fails as by a defect.
  void tell_shard_to_fail(job_id id);
  std::size_t running_actors();

  /// One window of the snapshot; false if there is nothing to write.
  bool write_snapshot();
  /// Removes every blob that no durable record names. Only when nothing waits to be durable.
  void sweep();
  /// What the shards have after recovery is what the whole journal tells.
  void check_recovered();

  /// Reads what readers get and checks it against what is durable; G1 and G2.
  void read_events();
  /// Checks the whole history: G1 to G5.
  void check_history();

  bool all_ended();
  std::uint64_t chance() { return random_(); }

  std::uint64_t seed;
  std::uint16_t shards;
  std::uint64_t hits = 0;               ///< Failpoints passed in this world.
  std::optional<std::uint64_t> dies_at; ///< The hit at which the node dies.
  bool dead = false;
  std::uint64_t crashes = 0;
  std::map<std::string, std::uint64_t> passed;                  ///< How often each failpoint was.
  core::duration wall_is_ahead{};                               ///< Of the even clock.
  core::duration expires_after{};                               ///< Of jobs submitted from now on.
  std::size_t window_bytes = limits::snapshot_window_bytes_max; ///< Of the snapshot.
  std::shared_ptr<sim_journal> journal = std::make_shared<sim_journal>();
  std::shared_ptr<storage::table_store> tables = storage::memory_tables();
  std::shared_ptr<storage::blob_store> blobs = storage::memory_blob_store();
  std::shared_ptr<sim_runner> runner = std::make_shared<sim_runner>();
  std::map<job_id, told> clients;
  actors::actor_settings settings;
  std::function<void()> started; ///< Called by `start` before any actor has had a turn.
  std::vector<std::shared_ptr<actors::shard_context>> contexts;
  std::shared_ptr<actors::environment> env;
  std::unique_ptr<storage::snapshot_writer> snapshot;

  caf::scheduler::test_coordinator& scheduler();
  template <class Message>
  void tell(job_id id, Message m);
  actors::shard_context& context(job_id id);
  storage::view::graph_source graphs();

private:
  struct config : caf::actor_system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  };

  core::shard_time now();
  void touch(const char* name);
  void make_environment();
  storage::shard_meta meta_of(core::shard_id id);
  void make_shard(std::uint16_t index);
  void make_snapshot_writer();
  void watch(job_id id);
  void write_blob();
  void check_told(storage::view& view, std::uint16_t shard);
  void check_job(job_id id, storage::view& view);
  void check_records(job_id id, storage::view& view);
  void take_down();

  std::shared_ptr<storage::lag_gauge> lag;
  std::mt19937_64 random_;
  bool down_ = false;        ///< What is told now is told by nobody.
  core::duration elapsed_{}; ///< Of earlier nodes.
  std::deque<std::function<void(bool told)>> blobs_waiting_; ///< To be written.
  std::map<graph_id, std::shared_ptr<const core::graph>> compiled_;
  std::unique_ptr<config> config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor supervisor_;
};

/// All jobs of a shard, newest first.
std::vector<storage::job_row> rows_of(storage::view& view);

} // namespace troupe::tests
