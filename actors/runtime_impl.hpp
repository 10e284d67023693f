#pragma once

#include "actors/answer_once.hpp"
#include "actors/engine.hpp"
#include "core/place.hpp"
#include "messages/job.hpp"
#include "troupe/runtime.hpp"

#include <future>

namespace troupe {

inline error closed() { return {ec::not_ready, "the runtime is closed"}; }

/// Waits for the one answer that `ask` gets, at most `limits::request_deadline`.
template <class T>
T answer_of(const std::function<bool(std::function<void(const T&)>)>& ask,
            std::chrono::milliseconds deadline = limits::request_deadline) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  if (!ask(actors::answered<T>([promise](const T& x) { promise->set_value(x); })))
    return closed();
  if (future.wait_for(deadline) != std::future_status::ready)
    return error{ec::timed_out, "no answer within the deadline; the request may still be done"};
  return future.get();
}

/// What a `runtime` is made of.
struct __attribute__((visibility("hidden"))) runtime::impl {
  std::shared_ptr<actors::engine> engine;

  /// Hands `then` to `send`, which says whether it could be sent; it is called in any case.
  template <class T, class Send>
  static void ask(Send send, std::function<void(const T&)> then) {
    auto done = actors::answered<T>(std::move(then));
    if (!send(done))
      done(closed());
  }

  static status move(runtime& x, job_id id, job_change to, std::string reason) {
    return answer_of<status>(
        [&](auto done) { return x.change(id, to, std::move(reason), std::move(done)), true; });
  }

  /// The shard of a queue.
  core::shard_id home_of(namespace_id ns, const std::string& queue) const {
    return core::shard_of(core::place(ns, queue), engine->shards());
  }
  storage::view& view_of(namespace_id ns, const std::string& queue) const {
    return *engine->contexts()[core::index_of(home_of(ns, queue))]->view;
  }
  std::vector<std::shared_ptr<storage::view>> views() const {
    std::vector<std::shared_ptr<storage::view>> all;
    for (auto& shard : engine->contexts())
      all.push_back(shard->view);
    return all;
  }

  /// How many of these jobs were deleted, once that is durable.
  result<std::size_t> delete_jobs(core::shard_id shard, std::vector<job_id> jobs,
                                  const char* reason, bool strict);
  /// Deletes, or counts, the ended jobs of one shard that a filter shows.
  result<std::size_t> purge(actors::shard_context& shard, const job_filter& filter, bool dry_run);
};

} // namespace troupe
