#include "tests/sim/world.hpp"

#include "actors/shard_actor.hpp"
#include "actors/store.hpp"
#include "actors/supervisor.hpp"
#include "actors/vertex_actor.hpp"
#include "actors/work_board.hpp"
#include "core/place.hpp"
#include "core/render.hpp"
#include "tests/support/catch.hpp"

#include <caf/actor_registry.hpp>
#include <caf/send.hpp>

namespace troupe::tests {

namespace {

namespace msg = messages;

constexpr auto first_moment = core::shard_time{std::chrono::hours{24 * 365 * 50}};
constexpr std::size_t steps_max = 200'000; // More is a livelock.

} // namespace

world::world(std::uint64_t seed, std::uint16_t shards)
    : seed(seed), shards(shards), random_(seed) {}

world::~world() { take_down(); }

caf::scheduler::test_coordinator& world::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

core::shard_time world::now() {
  auto since = scheduler().clock().now().time_since_epoch();
  return first_moment + elapsed_ + std::chrono::duration_cast<core::duration>(since);
}

void world::touch(const char* name) {
  if (down_)
    return;
  ++passed[name];
  if (dead || (dies_at && ++hits >= *dies_at)) {
    dead = true;
    throw node_died{};
  }
  if (!dies_at)
    ++hits;
}

void world::make_environment() {
  env = std::make_shared<actors::environment>();
  env->kinds = core::builtin_kinds();
  env->graphs = std::make_shared<actors::graph_store>(blobs);
  env->runners["exec"] = env->runners["jq"] = runner;
  env->is_pure_function = [](auto&) { return false; };
  env->put_blob = [this](namespace_id ns, core::bytes data, auto then) {
    blobs_waiting_.push_back([this, ns, data = std::move(data), then](bool told) {
      auto stored = blobs->put(ns, data);
      if (told)
        touch("after_blob");
      if (told)
        then(core::blob_ref{*stored, data.size()});
    });
  };
  env->get_blob = [this](namespace_id ns, const core::blob_ref& ref) {
    return blobs->get(ns, ref.sha256);
  };
  env->make_random = [this] { return core::random_bits{std::mt19937_64{random_()}}; };
  env->settings = settings;
}

void world::make_shard(std::uint16_t index) {
  core::shard_id id{index};
  auto shard = std::make_shared<actors::shard_context>();
  shard->id = id;
  shard->shards = shards;
  shard->env = env;
  auto kept = meta_of(id);
  shard->view = std::make_shared<storage::view>(id, tables, kept, lag);
  shard->ring = std::make_shared<actors::event_ring>(limits::event_ring_bytes);
  shard->recovered = [](const status& x) { CHECK(x); };
  auto found = journal->open(id, {kept.epoch, kept.applied});
  REQUIRE(found);
  CHECK(journal->read(id, kept.applied + 1, [&](const storage::batch& x) -> status {
    shard->view->add(x);
    return {};
  }));
  actors::shard_log_parts parts;
  parts.shard = id;
  parts.journal = journal;
  parts.view = shard->view;
  parts.wall_clock = [this] { return now() + wall_is_ahead; };
  parts.steady_clock = [this] { return now().time_since_epoch(); };
  parts.wake = [to = std::weak_ptr{shard}] {
    if (auto x = to.lock())
      caf::anon_send(x->shard.get(), msg::release_outputs{});
  };
  parts.at = [this](const char* name) { touch(name); };
  shard->log = std::make_shared<actors::shard_log>(std::move(parts), *found);
  contexts.push_back(std::move(shard));
}

storage::shard_meta world::meta_of(core::shard_id id) {
  auto reader = tables->read();
  REQUIRE(reader);
  auto meta = storage::snapshot_read{**reader, id}.meta();
  REQUIRE(meta);
  return *meta;
}

void world::make_snapshot_writer() {
  storage::snapshot_parts parts;
  parts.tables = tables;
  parts.journal = journal;
  for (auto& shard : contexts)
    parts.views.push_back(shard->view);
  parts.lag = lag;
  parts.pace.window_bytes_max = window_bytes;
  parts.at = [this](const char* name) { touch(name); };
  snapshot = std::make_unique<storage::snapshot_writer>(std::move(parts));
}

void world::start() {
  config_ = std::make_unique<config>();
  system_ = std::make_unique<caf::actor_system>(*config_);
  dead = false;
  make_environment();
  lag = std::make_shared<storage::lag_gauge>();
  for (int i = 0; i < 2; ++i)
    env->vertex_actors.push_back(system_->spawn(actors::vertex_actor, env));
  env->work_board = system_->spawn(actors::work_board, env);
  for (std::uint16_t i = 0; i < shards; ++i)
    make_shard(i);
  make_snapshot_writer();
  check_recovered();
  actors::supervision how;
  for (auto& shard : contexts)
    how.children.push_back({"shard", [shard](caf::local_actor* parent) {
                              auto actor = parent->spawn(actors::shard_actor, shard);
                              shard->shard.set(actor);
                              return actor;
                            }});
  how.escalate = [](const std::string&) {};
  supervisor_ = system_->spawn(actors::supervisor, std::move(how));
  if (started)
    started();
  try {
    settle();
    for (auto& [id, client] : clients)
      watch(id);
  } catch (const node_died&) {
  }
}

void world::watch(job_id id) {
  auto& client = clients[id];
  client.first_live = 0;
  tell(id, msg::watch_job{id, [this, id](const result<std::uint64_t>& first) {
                            if (down_)
                              return;
                            // G1: whoever was told of a job finds it after every crash.
                            if (clients[id].accepted && !clients[id].may_be_gone)
                              CHECK(first);
                            if (clients[id].gone)
                              CHECK_FALSE(first);
                            clients[id].first_live = first ? *first : 0;
                          }});
}

template <class Message>
void world::tell(job_id id, Message m) {
  caf::anon_send(context(id).shard.get(), std::move(m));
}

actors::shard_context& world::context(job_id id) {
  return *contexts[core::index_of(core::shard_of(slot_of(id), shards))];
}

void world::take_down() {
  if (!system_)
    return;
  dead = true;
  runner->forget();
  elapsed_ = now() - first_moment;
  caf::anon_send_exit(supervisor_, caf::exit_reason::kill);
  for (auto& shard : contexts)
    caf::anon_send_exit(shard->shard.get(), caf::exit_reason::kill);
  for (auto& actor : env->vertex_actors)
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  caf::anon_send_exit(env->work_board, caf::exit_reason::kill);
  while (scheduler().try_run_once())
    ;
  supervisor_ = {};
  env->work_board = {};
  env->vertex_actors.clear();
  for (auto& shard : contexts)
    shard->shard.set({});
  down_ = true; // A dead node tells nobody: this only lets go of what waits.
  for (auto& shard : contexts)
    shard->log->close();
  down_ = false;
  snapshot.reset();
  contexts.clear();
  system_.reset();
}

void world::crash() {
  ++crashes;
  journal->crash([this] { return random_() % 2 == 0; });
  for (auto& [id, client] : clients) { // The next node tells it all anew.
    client.durable.clear();
    client.replayed = {};
  }
  for (auto& write : std::exchange(blobs_waiting_, {}))
    if (random_() % 2 == 0)
      write(false);
  take_down();
}

bool world::step() {
  auto& jobs = scheduler().jobs;
  auto choice = random_();
  auto actors = !jobs.empty(), writes = journal->has_waiting(), runs = !runner->in_flight.empty();
  auto which = choice % 8;
  if (choice / 8 % 8 == 0 && write_snapshot())
    return true;
  if (!blobs_waiting_.empty() && choice / 64 % 4 == 0) {
    write_blob();
    return true;
  }
  if (actors && (which < 5 || (!writes && !runs))) {
    std::swap(jobs.front(), jobs[(choice >> 8) % jobs.size()]);
    scheduler().try_run_once();
  } else if (writes && (which < 7 || !runs)) {
    journal->complete(choice >> 8);
  } else if (runs) {
    runner->step(choice >> 8);
  } else if (!blobs_waiting_.empty()) {
    write_blob();
  } else {
    return false;
  }
  if (dead)
    throw node_died{};
  return true;
}

bool world::write_snapshot() {
  if (lag->bytes() == 0)
    return false;
  auto done = snapshot->step(); // May throw: not within the check.
  CHECK(done);
  return true;
}

void world::write_blob() {
  auto write = std::move(blobs_waiting_.front());
  blobs_waiting_.pop_front();
  touch("before_blob");
  write(true);
}

void world::sweep() {
  REQUIRE_FALSE(journal->has_waiting());
  touch("before_sweep");
  auto mark = [this](const storage::blob_store::named& named) -> status {
    for (auto& shard : contexts)
      if (auto done = shard->view->each_blob(named); !done)
        return done;
    touch("while_marking");
    return {};
  };
  using std::chrono::milliseconds;
  auto later = std::chrono::system_clock::now() + limits::blob_age_min + std::chrono::hours{1};
  auto done = blobs->sweep(mark, std::chrono::floor<milliseconds>(later));
  CHECK(done);
  touch("after_sweep");
}

void world::settle() {
  auto waits = [this] {
    return scheduler().has_job() || journal->has_waiting() || !blobs_waiting_.empty();
  };
  for (std::size_t steps = 0; waits(); ++steps) {
    REQUIRE(steps < steps_max);
    if (scheduler().has_job())
      scheduler().try_run_once();
    else if (journal->has_waiting())
      journal->complete(0);
    else
      write_blob();
    if (dead)
      throw node_died{};
  }
}

void world::advance(core::duration x) {
  scheduler().clock().advance_time(x);
  settle();
}

bool world::all_ended() {
  for (auto& shard : contexts)
    if (auto rows = shard->view->live({}, 1); !rows || !rows->empty())
      return false;
  return true;
}

void world::run() {
  for (std::size_t steps = 0; steps < steps_max; ++steps) {
    for (; step(); ++steps)
      read_events(); // At once: what is told too early may be durable a step later.
    read_events();
    if (all_ended())
      return;
    REQUIRE(scheduler().clock().has_pending_timeout());
    scheduler().clock().trigger_timeout();
  }
  FAIL("the jobs do not end");
}

void world::live() {
  for (;;)
    try {
      run();
      return;
    } catch (const node_died&) {
      read_events();
      crash();
      check_history();
      dies_at.reset();
      start();
    }
}

void world::submit(const graph_spec& g, std::string queue, std::uint32_t max_parallel,
                   std::string idempotency_key) {
  REQUIRE(core::check(g, env->kinds).empty());
  auto id = env->graphs->add({}, g);
  REQUIRE(id);
  msg::submit_job m;
  m.spec.queue = queue;
  m.spec.graph = *id;
  m.spec.max_parallel = max_parallel;
  m.expires_after = expires_after;
  m.spec.idempotency_key = std::move(idempotency_key);
  if (!m.spec.idempotency_key.empty())
    m.spec.request_digest = {1};
  m.plan = *env->graphs->find({}, *id);
  m.accepted = [this](const result<messages::submitted>& job) {
    if (!job || down_)
      return;
    clients[job->id].accepted = true;
    watch(job->id);
  };
  auto to = core::shard_of(core::place({}, queue), shards);
  caf::anon_send(contexts[core::index_of(to)]->shard.get(), std::move(m));
}

void world::move(job_id id, core::job_request on) {
  tell(id, msg::move_job{id, on, "asked by the test", [this, id, on](const status& done) {
                           if (down_)
                             return;
                           clients[id].moves.emplace_back(on, done);
                         }});
}

void world::remove(job_id id) {
  clients[id].may_be_gone = true;
  tell(id, msg::delete_jobs{{id}, "asked by the test", true, [this, id](auto& done) {
                              if (done && !down_)
                                clients[id].gone = true;
                            }});
}

void world::tell_shard_to_fail(job_id id) {
  tell(id,
       msg::await_end{id, msg::end_waiter{[](auto&) {}}}); // Any message: the actor's next turn.
  caf::anon_send_exit(context(id).shard.get(), caf::exit_reason::unhandled_exception);
}

std::size_t world::running_actors() { return system_->registry().running(); }

storage::view::graph_source world::graphs() {
  return [this](namespace_id ns, const graph_id& id) -> std::shared_ptr<const core::graph> {
    if (!blobs->get(ns, id.sha256))
      return nullptr;
    auto& known = compiled_[id]; // Of content; a copy that holds no blob.
    if (!known)
      known = std::make_shared<core::graph>(**actors::graph_store{blobs}.find(ns, id));
    return known;
  };
}

} // namespace troupe::tests
