#pragma once

#include "actors/engine.hpp"
#include "actors/event_feed.hpp"
#include "actors/task_thread.hpp"
#include "troupe/caf.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <set>

namespace troupe::actors {

/// What has happened to watched jobs since the handle last looked: one message wakes it, however
/// much happens meanwhile. Thread-safe.
class wake_list {
public:
  /// Adds a job. True: whoever looks has to be woken.
  bool add(job_id job) {
    std::scoped_lock lock{mutex_};
    jobs_.insert(job);
    return jobs_.size() == 1;
  }
  std::set<job_id> take() {
    std::scoped_lock lock{mutex_};
    return std::exchange(jobs_, {});
  }

private:
  std::mutex mutex_;
  std::set<job_id> jobs_;
};

struct host_state {
  static inline const char* name = "troupe";

  /// One subscriber of one job.
  struct subscriber {
    caf::actor to;
    std::uint64_t from = 1;
    std::uint32_t credit = 0;
    std::unique_ptr<event_feed> feed; ///< Null until the job is watched.
  };

  std::shared_ptr<engine> runtime;
  std::shared_ptr<task_thread> tasks;
  bool closing = false;
  std::shared_ptr<wake_list> woken = std::make_shared<wake_list>();
  std::map<std::uint64_t, caf::response_promise> asked; ///< Answers that are on their way.
  std::uint64_t next = 1;                               ///< Number of the next request.
  std::map<job_id, std::map<std::uint64_t, subscriber>> subscribers;
  std::map<caf::actor_addr, std::size_t> watched; ///< Subscribers, each monitored once.
  std::size_t subscriptions = 0;
  bool looking = false;
};

/// What the actors of a host talk to: `runtime_actor`. What waits for the disk is done by `tasks`.
/// An exit message closes the engine, then calls `closed` on that thread, and ends this actor.
/// (Detached it would hold up the end of its system for as long as anybody has its handle.)
caf::behavior host_actor(caf::stateful_actor<host_state>* self, std::shared_ptr<engine> runtime,
                         std::shared_ptr<task_thread> tasks, std::function<void()> closed);

} // namespace troupe::actors
