#pragma once

#include "storage/journal.hpp"
#include "storage/snapshot.hpp"
#include "storage/view.hpp"
#include "troupe/limits.hpp"

#include <functional>
#include <memory>
#include <thread>

namespace troupe::storage {

/// When the snapshot is written, and how far it may lag behind.
struct snapshot_pace {
  std::size_t window_bytes = limits::snapshot_window_bytes;
  std::chrono::milliseconds window_age = limits::snapshot_window_age;
  std::size_t window_bytes_max = limits::snapshot_window_bytes_max;
  std::size_t lag_soft_bytes = limits::snapshot_lag_soft_bytes;
  std::size_t lag_hard_bytes = limits::snapshot_lag_hard_bytes;
  std::chrono::milliseconds maintain_interval = limits::snapshot_maintain_interval;
};

/// How far the snapshot lags behind the journal; all shards together.
struct snapshot_lag {
  std::uint64_t bytes = 0;   ///< Of durable batches that the snapshot does not hold.
  std::uint64_t soft = 0;    ///< From here on new jobs are slowed down,
  std::uint64_t hard = 0;    ///< and from here on refused.
  std::uint64_t records = 0; ///< In these batches.
};

/// What the snapshot is written from and to.
struct snapshot_parts {
  std::shared_ptr<table_store> tables;
  std::shared_ptr<storage::journal> journal;
  std::vector<std::shared_ptr<view>> views;
  std::shared_ptr<lag_gauge> lag; ///< The one of the views.
  snapshot_pace pace;
  /// Housekeeping of the tables, each `pace.maintain_interval`. May be empty.
  std::function<status()> maintain;
  /// Tries to free space on a disk that was found full; true if it did. May be empty.
  std::function<bool()> make_room;
  /// Told of trouble, once each time that it changes. Any thread. May be empty.
  std::function<void(const error&)> report;
  /// A place where a simulated node can die, by name. Empty in a node.
  std::function<void(const char* name)> at;
};

/// Writes durable batches into the snapshot, behind the journal, in large transactions; then the
/// views and the journal let go of them. A full disk only makes it wait: the overlays hold what is
/// missing. `lag` and `state` are thread-safe.
class snapshot_writer {
public:
  explicit snapshot_writer(snapshot_parts parts) : parts_(std::move(parts)) {}
  ~snapshot_writer() { stop(); }

  /// One transaction with the oldest batches of all shards; false if there are none. Not beside
  /// the thread. Errors: those of `apply_windows`; nothing was dropped then.
  result<bool> step();

  /// Starts the thread that calls `step` whenever there is enough to write, or it is old enough.
  void start();
  /// Ends the thread after the transaction that it writes. What is not applied is replayed.
  void stop();

  snapshot_lag lag() const;
  /// No error while it works or waits for space; else why it has stopped.
  status state() const;

private:
  std::vector<shard_window> windows() const;
  journal_seen seen_with(const std::vector<shard_window>& all) const;
  void run(std::stop_token stop);
  bool go_on(std::stop_token stop, const status& outcome);
  void maintain_sometimes();
  void tell(const status& now);
  void touch(const char* name) const;

  snapshot_parts parts_;
  mutable std::mutex mutex_;
  status state_;
  status told_;
  std::chrono::steady_clock::time_point maintained_ = std::chrono::steady_clock::now();
  std::jthread thread_;
};

} // namespace troupe::storage
