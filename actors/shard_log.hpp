#pragma once

#include "core/records.hpp"
#include "storage/journal.hpp"
#include "storage/view.hpp"
#include "troupe/observer.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace troupe::actors {

/// Where the outputs of a shard wait. Each is called once: with no error when what it reflects is
/// durable, or with why it never will be.
using output = std::function<void(const status&)>;

/// A place in the code where a simulated node can die; by name, called before and after each
/// write and release. Unset in a node.
using failpoint = std::function<void(const char* name)>;

/// What a shard log needs from outside.
struct shard_log_parts {
  core::shard_id shard{};
  std::shared_ptr<storage::journal> journal;
  std::shared_ptr<storage::view> view;
  std::function<core::shard_time()> wall_clock;
  /// Goes on evenly, whatever becomes of the wall clock.
  std::function<std::chrono::nanoseconds()> steady_clock;
  /// Called on any thread when outputs may be released: have `release` called soon.
  std::function<void()> wake;
  failpoint at;
  std::shared_ptr<troupe::observer> observer{}; ///< Told of each batch. May be null.
};

/// The one way of a shard's records into the journal and of its outputs to the world: the output
/// gate. Record groups gather while one batch is written; outputs wait until the position that
/// they reflect is durable and leave in order, on the thread that calls `release`. Thread-safe.
class shard_log : public std::enable_shared_from_this<shard_log> {
public:
  /// Continues after what `journal::open` found.
  shard_log(shard_log_parts parts, const storage::opened& found);

  /// The wall clock, but never behind what was told before: when the wall clock was set back, or
  /// records are of a later time, time goes on from there, evenly and a sixteenth slower: the wall
  /// clock catches up.
  core::shard_time now();

  /// Time was `time` before: a recovered shard's newest record. `now` never goes back behind it.
  void saw(core::shard_time time);

  /// How often `saw` was called: the progress of a recovery.
  std::uint64_t times_seen() const;

  /// Adds an encoded group, whole, to the batch that gathers; returns that batch's position. `out`
  /// waits for it.
  core::position append(core::byte_view group, output out = {});
  core::position append(const core::record_group& group, output out = {});

  /// Lets `out` wait until `at` is durable.
  void hold(core::position at, output out);

  /// The newest position that any record of the shard has.
  core::position head() const;

  /// The newest position that is durable and in the view.
  core::position durable() const;

  /// Records that wait for the journal, in bytes: what admission is measured by.
  std::size_t gathered_bytes() const;

  /// Whether nothing waits for the journal: all is durable, or never will be.
  bool settled() const;

  /// Whether the journal still takes records, or why not.
  status state() const;

  /// Calls every output whose time has come, unless another thread does so right now.
  void release();

  /// Fails every output that waits and every later one: nothing more leaves as durable.
  void fail(const status& why);

  /// Gives the journal back. Call it when nothing appends any more.
  void close();

private:
  struct waiting {
    core::position at;
    output out;
  };

  void add_bytes(core::byte_view group);
  std::optional<storage::batch> take_next();
  void write(storage::batch next);
  void written(storage::batch kept, const status& outcome);
  void observe(const storage::batch& x, std::chrono::steady_clock::time_point began) const;
  void wake();
  void touch(const char* name) const;

  shard_log_parts parts_;
  mutable std::mutex mutex_;
  core::epoch epoch_;
  core::shard_time time_{};
  core::shard_time base_{};          ///< Time goes on evenly from here,
  std::chrono::nanoseconds since_{}; ///< since the steady clock showed this.
  std::uint64_t times_seen_ = 0;
  core::position durable_, head_;
  bool writing_ = false;
  bool woken_ = false;
  bool releasing_ = false;
  status failed_;
  std::size_t gathered_ = 0;
  std::deque<storage::batch> batches_; ///< That gather; the last one takes what comes.
  std::deque<waiting> held_;           ///< Sorted by position.
};

} // namespace troupe::actors
