#pragma once

#include "storage/blob_pins.hpp"
#include "storage/file.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace troupe::storage {

/// Where blobs lie: `<namespace>/<two digits>/<64 digits>`, and `tmp` while they are written.
/// Thread-safe.
class blob_folders {
public:
  blob_folders(file_ops& files, std::filesystem::path root);

  file_ops& files() const noexcept { return files_; }
  std::filesystem::path path_of(const blob_key& key) const;
  std::filesystem::path passing() const { return root_ / "tmp"; }
  /// A name that nobody else uses.
  std::filesystem::path next_passing() { return passing() / std::to_string(next_++); }

  /// Makes a directory of blobs, and `tmp`, so that they outlast a crash; once per directory, as
  /// no one removes any. Errors: `io_failed`, `no_space`.
  status make(const std::filesystem::path& directory);

  /// A new name in a directory, from before it is given until it is synced.
  class change {
  public:
    change(blob_folders& in, std::filesystem::path directory);
    ~change();
    change(const change&) = delete;
    change& operator=(const change&) = delete;

  private:
    blob_folders& in_;
    std::filesystem::path directory_;
  };

  /// Makes the names in a directory durable, whoever gave them: a process that is no more may have
  /// died before its sync. Costs nothing if it was called before and nobody has changed the
  /// directory since. Errors: `io_failed`.
  status sync(const std::filesystem::path& directory);

  /// The names in a namespace, sorted. Errors: `io_failed`.
  result<std::vector<sha256_digest>> names_of(namespace_id space) const;

  /// The same behind `after`, at most `limit`; looks at no more directories than that takes.
  result<std::vector<sha256_digest>> names_behind(namespace_id space,
                                                  const std::optional<sha256_digest>& after,
                                                  std::size_t limit) const;

private:
  std::filesystem::path path_of(namespace_id space) const;
  result<std::vector<std::string>> folders_of(namespace_id space) const;
  status add_names(const std::filesystem::path& folder, std::vector<sha256_digest>& to) const;
  status make_one(const std::filesystem::path& directory);

  file_ops& files_;
  std::filesystem::path root_;
  std::atomic<std::uint64_t> next_ = 1;
  std::mutex mutex_;
  std::set<std::filesystem::path> durable_;
  struct names_state {
    std::size_t changing = 0;  ///< Changes on their way.
    std::uint64_t changes = 0; ///< Ever.
    bool synced = false;       ///< None since the last sync.
  };
  std::map<std::filesystem::path, names_state> names_;
};

} // namespace troupe::storage
