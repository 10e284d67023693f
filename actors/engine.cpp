#include "actors/engine.hpp"

#include "actors/kinds/pid_files.hpp"
#include "actors/recovery_watch.hpp"
#include "actors/shard_actor.hpp"
#include "actors/store_scrub.hpp"
#include "actors/store_sweep.hpp"
#include "actors/supervisor.hpp"
#include "actors/vertex_actor.hpp"
#include "actors/work_board.hpp"

#include <future>
#include <thread>

namespace troupe::actors {

namespace {

constexpr std::size_t messages_per_turn = 100; // Then another actor has its turn.
constexpr core::restart_policy shard_restarts{
    3, std::chrono::minutes{1}, std::chrono::milliseconds{50}, std::chrono::seconds{2}};

unsigned or_cores(unsigned chosen) {
  return chosen > 0 ? chosen : std::max(2u, std::thread::hardware_concurrency());
}

core::shard_time wall_clock() {
  return std::chrono::time_point_cast<core::duration>(std::chrono::system_clock::now());
}

std::chrono::nanoseconds steady_clock() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

/// Kills what a node that died here has left, and makes the place for what this one starts.
status prepare_exec(const std::filesystem::path& directory) {
  if (auto made = storage::make_directories(storage::system_files(), directory); !made)
    return made;
  auto killed = kill_orphans(directory);
  return killed ? status{} : status{killed.error()};
}

/// Waits for what ends soon, all in all `limits::request_deadline` at most.
void wait_for_all(const std::vector<std::future<void>>& all) {
  auto until = std::chrono::steady_clock::now() + limits::request_deadline;
  for (auto& x : all)
    x.wait_until(until);
}

} // namespace

engine::caf_config::caf_config(unsigned threads) {
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", std::size_t{or_cores(threads)});
  set("scheduler.max-throughput", messages_per_turn);
}

engine::engine(const runtime_config& config, store x)
    : store_(std::move(x)),
      incarnation_(store_.directory ? store_.directory->about().owner.incarnation : 1),
      caf_config_(config.threads) {}

result<std::unique_ptr<engine>> engine::open(const runtime_config& config,
                                             runtime::functions functions, engine_host host,
                                             const engine_pace& pace) {
  auto opened = open_store(config, pace.snapshot, pace.map_bytes);
  if (!opened)
    return opened.error();
  if (opened->directory)
    if (auto ready = prepare_exec(opened->directory->path() / "exec"); !ready)
      return ready.error();
  std::unique_ptr<engine> made{new engine{config, std::move(*opened)}};
  for (auto& f : functions)
    if (auto added = made->functions_->add(f.name, std::move(f.body), f.pure); !added)
      return added.error();
  made->system_ = host.system;
  made->make_environment(config, host, pace);
  made->make_shards();
  if (auto started = made->start(); !started)
    return started.error();
  made->store_.writer->start();
  made->scrubber_ = start_scrub(made->store_, config.report);
  made->sweeper_ = start_sweep(made->store_, *made->shards_, config.report);
  return made;
}

void engine::make_shards() {
  auto count = static_cast<std::uint16_t>(store_.shards.size());
  auto ring = std::make_shared<event_ring>(limits::event_ring_bytes * count);
  for (std::uint16_t i = 0; i < count; ++i) {
    auto shard = std::make_shared<shard_context>();
    shard->id = core::shard_id{i};
    shard->shards = count;
    shard->env = env_;
    shard->view = store_.shards[i].view;
    shard->ring = ring;
    shard_log_parts parts;
    parts.shard = shard->id;
    parts.journal = store_.journal;
    parts.view = shard->view;
    parts.wall_clock = wall_clock;
    parts.steady_clock = steady_clock;
    parts.observer = env_->observer;
    parts.wake = [to = std::weak_ptr{shard}] {
      if (auto shard = to.lock())
        caf::anon_send(shard->shard.get(), messages::release_outputs{});
    };
    shard->log = std::make_shared<shard_log>(std::move(parts), store_.shards[i].found);
    shards_->push_back(std::move(shard));
  }
}

/// Starts all actors; returns when every shard has recovered, or none makes progress.
status engine::start() {
  if (!system_) {
    own_system_ = std::make_unique<caf::actor_system>(caf_config_);
    system_ = own_system_.get();
  }
  for (unsigned i = 0; i < or_cores(0); ++i)
    env_->vertex_actors.push_back(system_->spawn(vertex_actor, env_));
  env_->work_board = system_->spawn(work_board, env_);
  recovery_watch recovered;
  supervision how{shard_restarts, {}, {}};
  for (auto& shard : *shards_) {
    shard->recovered = recovered.expect();
    how.children.push_back({"shard", [shard](caf::local_actor* parent) {
                              auto actor = parent->spawn(shard_actor, shard);
                              shard->shard.set(actor);
                              return actor;
                            }});
  }
  for (auto& actor : env_->vertex_actors)
    how.children.push_back({"vertex", [actor](caf::local_actor*) { return actor; }, false});
  how.children.push_back(
      {"work_board", [board = env_->work_board](caf::local_actor*) { return board; }, false});
  how.restarts = [env = env_](auto&) { env->happened(occurrence::shard_restarted); };
  how.escalate = [shards = *shards_, recovered, env = env_](const std::string& child) mutable {
    env->happened(occurrence::shard_escalated);
    error why{ec::not_ready, "the actor \"" + child + "\" failed for good; open the runtime again"};
    for (auto& shard : shards) { // Their actors, which do so else, have ended.
      shard->log->fail(why);
      shard->log->release();
      for (auto& waiter : shard->waiting.take_all())
        waiter(why);
    }
    recovered.give_up(why);
  };
  supervisor_ = system_->spawn(supervisor, std::move(how));
  return recovered.wait(limits::recovery_idle_max, [this] {
    std::uint64_t jobs = 0;
    for (auto& shard : *shards_)
      jobs += shard->log->times_seen();
    return jobs;
  });
}

status engine::sweep(storage::blob_time now) {
  auto swept = while_open([&]() -> result<bool> {
    auto done = sweeper_->step(now);
    return done ? result<bool>{true} : result<bool>{done.error()};
  });
  return swept ? status{} : status{swept.error()};
}

void fail(const shard_list& shards, const error& why) {
  for (auto& shard : shards)
    shard->log->fail(why);
}

void engine::close_shards() {
  std::vector<std::future<void>> closed;
  for (auto& shard : *shards_) {
    auto promise = std::make_shared<std::promise<void>>();
    closed.push_back(promise->get_future());
    caf::anon_send(shard->shard.get(), messages::close_shard{[promise] { promise->set_value(); }});
  }
  wait_for_all(closed);
}

/// Ends the actors that touch the environment and the store, and waits for it. What is left are
/// actors of ended jobs, which have nothing more to do.
void engine::end_actors() {
  auto all = env_->vertex_actors;
  all.push_back(env_->work_board);
  all.push_back(supervisor_);
  for (auto& shard : *shards_)
    all.push_back(shard->shard.get());
  std::vector<std::future<void>> ended;
  for (auto& actor : all)
    if (actor) {
      auto promise = std::make_shared<std::promise<void>>();
      ended.push_back(promise->get_future());
      actor->attach_functor([promise](const caf::error&) { promise->set_value(); });
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    }
  wait_for_all(ended);
}

void engine::close() {
  std::scoped_lock once{close_mutex_}; // Whoever comes second waits for the first.
  {
    std::unique_lock lock{closing_};
    if (std::exchange(closed_, true))
      return;
  }
  store_.end_waits();
  scrubber_.reset();
  sweeper_.reset();
  if (system_) {
    close_shards();
    if (!shards_->empty())
      shards_->front()->ring->shut();
    end_actors();
    env_->runners.clear(); // What they report now goes to actors that are gone.
    blob_writer_.reset();
    result_reader_.reset();
    env_->vertex_actors.clear();
    env_->work_board = {};
    supervisor_ = {};
    for (auto& shard : *shards_)
      shard->shard.set({});
    own_system_.reset();
    system_ = nullptr;
  }
  for (auto& shard : *shards_) {
    shard->log->close();
    for (auto& ended : shard->waiting.take_all()) // No actor is left to tell them.
      ended(error{ec::not_ready, "the runtime is closed"});
  }
  store_.close();
}

} // namespace troupe::actors
