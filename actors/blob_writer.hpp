#pragma once

#include "core/payload.hpp"
#include "storage/blob_store.hpp"
#include "storage/disk_guard.hpp"

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

  /// With a guard, a full disk is waited for, up to `space_wait`: what is written here belongs to
  /// jobs that were accepted.
  explicit blob_writer(std::shared_ptr<storage::blob_store> store,
                       std::shared_ptr<storage::disk_guard> guard = nullptr,
                       std::chrono::milliseconds space_wait = std::chrono::milliseconds::max());
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
  result<storage::sha256_digest> write(const job& x, const std::stop_token& stop);

  std::shared_ptr<storage::blob_store> store_;
  std::shared_ptr<storage::disk_guard> guard_;
  std::chrono::milliseconds space_wait_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<job> jobs_;
  std::atomic<std::size_t> bytes_{0};
  std::jthread thread_; ///< The last member: it ends first.
};

} // namespace troupe::actors
