#pragma once

#include "core/payload.hpp"
#include "storage/blob_store.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace troupe::actors {

/// Writes blobs on a thread of its own, since actors must not wait for the disk. Thread-safe.
class blob_writer {
public:
  using done = std::function<void(result<core::blob_ref>)>;

  explicit blob_writer(std::shared_ptr<storage::blob_store> store);
  /// Writes what has arrived, then ends.
  ~blob_writer() = default;

  /// Calls `then` on the writer's thread. It never refuses: what an attempt has made is kept.
  /// Whoever starts attempts looks at `bytes_waiting` first. Errors: those of `blob_store::put`.
  void put(namespace_id ns, core::bytes data, done then);

  /// What has arrived and is not durable yet.
  std::size_t bytes_waiting() const noexcept { return bytes_.load(); }

private:
  struct job {
    namespace_id ns;
    core::bytes data;
    done then;
  };

  void run(std::stop_token stop);

  std::shared_ptr<storage::blob_store> store_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<job> jobs_;
  std::atomic<std::size_t> bytes_{0};
  std::jthread thread_; ///< The last member: it ends first.
};

} // namespace troupe::actors
