#pragma once

#include "core/bytes.hpp"
#include "core/types.hpp"
#include "troupe/error.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <span>

namespace troupe::storage {

/// Record groups of one shard that are written at once.
struct batch {
  core::shard_id shard{};
  core::epoch epoch{};
  core::position at = 1; ///< One more than the shard's batch before.
  core::shard_time time{};
  core::bytes records; ///< Encoded records, `core/records.hpp`; at most `batch_bytes_max`.
};

/// What is known of the end of one shard's batches.
struct opened {
  core::epoch epoch{};     ///< From `journal::open`: new, one more than any seen before.
  core::position head = 0; ///< The newest durable batch, 0 if there is none.
};

/// The newer of both in each regard.
inline opened newer(const opened& a, const opened& b) {
  return {std::max(a.epoch, b.epoch), std::max(a.head, b.head)};
}

/// What a journal takes up, for metrics, and for a snapshot that remembers where it was.
struct journal_use {
  std::uint64_t newest_segment = 0; ///< The last file in use; 0 if there is none, or no files.
  std::uint64_t bytes = 0;          ///< On the disk, with what is prepared and kept for new ones.
};

/// Where an open of a journal may begin to read: all batches before it are in the snapshot that
/// remembers it.
struct resume_point {
  std::uint64_t segment = 0; ///< 0: none is known.
  std::uint32_t batch = 0;   ///< Where the last batch before it begins; 0: the segment's header.
  std::uint32_t chain = 0;   ///< The CRC of that batch, or what the header says of the one before.

  bool operator==(const resume_point&) const = default;
};

/// What a snapshot remembers of its journal.
struct journal_seen {
  std::uint64_t newest_segment = 0; ///< As in `journal_use`.
  resume_point resume;              ///< Older versions remember none.
};

/// The batches of every shard of a node, each shard's in order. The seam between the engine and
/// where it is kept: files on one node, etcd in a cluster. `append` is thread-safe, the rest is
/// called before the first `append` of the shard.
class journal {
public:
  using done = std::function<void(status)>;
  using reader = std::function<status(const batch&)>;

  virtual ~journal() = default;

  /// Takes the shard: the epoch is new, and every older writer is fenced from here on. All that
  /// it lets `read` see is durable. `kept` is the newest batch that a snapshot holds, with its
  /// epoch: of it and those before nothing need be here. Errors: `journal_corrupt`, also if a
  /// batch after `kept` is missing, or `kept` itself although others are here; `journal_failed`,
  /// `fenced`.
  virtual result<opened> open(core::shard_id shard, const opened& kept = {}) = 0;

  /// Hands every batch of `shard` from `from` on to `each`, in order; stops at its first error.
  /// Errors: `journal_corrupt`, also if `from` was trimmed; those of `each`.
  virtual status read(core::shard_id shard, core::position from, const reader& each) = 0;

  /// As `read` for several shards, each from its own place on. Batches of different shards come in
  /// any order. Errors: as `read`.
  using positions = std::map<core::shard_id, core::position>;
  virtual status read_all(const positions& from, const reader& each) {
    for (auto& [shard, at] : from)
      if (auto done = read(shard, at, each); !done)
        return done;
    return {};
  }

  /// Everything up to `upto` is durable elsewhere and need not be kept here. Thread-safe; what it
  /// frees is free after a while.
  virtual void trim(core::shard_id shard, core::position upto) = 0;

  /// Thread-safe.
  virtual journal_use use() const { return {}; }

  /// Where an open may begin to read when a snapshot holds what was trimmed, and of each shard in
  /// `applied` the batches up to there. Thread-safe.
  virtual resume_point resume_after(const positions& applied) const {
    (void)applied;
    return {};
  }

  /// Writes the shard's next batch. Calls `then` once, on any thread, in the order of `append`:
  /// no error when the batch is durable; `fenced`; or `journal_failed` or `no_space`, after which
  /// every append fails. One batch per shard at a time is the caller's duty.
  virtual void append(batch next, done then) = 0;
};

/// What a snapshot holds of a journal.
struct journal_applied {
  resume_point resume;
  journal::positions shards; ///< Of each the newest batch that it holds.
};

} // namespace troupe::storage
