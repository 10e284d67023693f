#pragma once

#include "node/security/audit_line.hpp"
#include "storage/file.hpp"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace troupe::node {

/// Entries; then changes are refused, and only those that were made before are taken: as many
/// again.
inline constexpr std::size_t audit_waiting_max = 10'000;

/// What may be chosen for an audit log.
struct audit_options {
  std::uint64_t file_bytes = 64 << 20; ///< Then the next file begins.
  std::size_t files_max = 16;          ///< Kept, the newest ones.
  storage::file_ops* files = &storage::system_files();
  std::function<core::shard_time()> now{}; ///< Unset: the wall clock.
};

/// Writes down who changed what: files `audit-000001.ndjson`, … of lines that hang together, see
/// `audit_line`. One thread writes and syncs what has gathered, in the order of `append`.
/// Thread-safe.
class audit_log {
public:
  using done = std::function<void(const status&, const audit_entry&)>;

  /// Goes on where the newest file ends; the part of a line that a crash left there is cut.
  /// Errors: `io_failed`, `no_space`; `journal_corrupt` if the last line tells no number: nothing
  /// can follow it, see `verify_audit`.
  static result<std::unique_ptr<audit_log>> open(const std::filesystem::path& directory,
                                                 const audit_options& options = {});

  /// Writes all that waits, and tries once more what could not be written.
  ~audit_log();

  /// Never blocks. `then` is called once, when the line is durable or cannot be, on the thread
  /// that writes; it must be quick. The line of a change that was made is kept then, and written
  /// before the next one that can be. Refused at once, on this thread, with `overloaded`, if
  /// `audit_waiting_max` entries wait, or for a change that was made twice as many.
  void append(audit_entry x, done then = {});

  /// Whether there is room for the lines of more changes. Errors: `overloaded` if not; `no_space`
  /// or `not_ready` while the last line could not be written: each `append` tries again.
  status ready() const;

  /// The newest durable line.
  audit_head head() const;

private:
  struct waiting {
    audit_entry entry;
    done then;
    std::optional<core::shard_time> at{}; ///< When it should have been written.
  };

  audit_log(std::filesystem::path directory, const audit_options& options);

  status resume();
  status open_next();
  status write(const std::string& lines);
  status rotate();
  void run(std::stop_token stop);
  void write_all(std::deque<waiting> all);
  void keep_owed(std::deque<waiting> all, core::shard_time now);

  const std::filesystem::path directory_;
  const audit_options options_;
  // Only for the thread that writes.
  std::uint64_t index_ = 0; ///< Of the newest file.
  std::uint64_t size_ = 0;
  std::unique_ptr<storage::file> file_; ///< Null after a failure: the next line begins another.
  audit_head written_;
  std::deque<waiting> owed_; ///< Of changes that were made; they could not be written.

  mutable std::mutex mutex_;
  std::condition_variable_any came_;
  std::deque<waiting> waiting_;
  audit_head head_;
  status last_;         ///< What became of the newest lines.
  std::jthread thread_; ///< The last member: it ends first.
};

} // namespace troupe::node
