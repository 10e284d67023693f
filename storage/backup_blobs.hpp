#pragma once

#include "storage/data_dir.hpp"
#include "storage/sha256.hpp"
#include "troupe/ids.hpp"

#include <functional>
#include <memory>

namespace troupe::storage {

/// One blob as a file.
struct blob_file {
  namespace_id space{};
  sha256_digest name{};
  std::uint64_t bytes = 0;
  std::filesystem::path path;
};

/// The blobs below a directory as files, whoever uses them: for backups and checks. Reads in
/// pieces, however large one is. Never changes a file that is there. For one thread.
class blob_files {
public:
  blob_files(file_ops& files, std::filesystem::path root)
      : files_(&files), root_(std::move(root)) {}

  std::filesystem::path path_of(namespace_id space, const sha256_digest& name) const;

  /// Whether it is there, of whatever content. Errors: `io_failed`.
  result<bool> has(namespace_id space, const sha256_digest& name) const;

  /// Whether it begins as a graph does; false if it is gone. Errors: `io_failed`.
  result<bool> holds_graph(namespace_id space, const sha256_digest& name) const;

  /// Hands on every file that is named as a blob, in order; stops at the first error of `each`.
  /// `odd` gets the path of whatever else lies between them. Errors: `io_failed`.
  status each(const std::function<status(const blob_file&)>& each,
              const std::function<void(const std::filesystem::path&)>& odd = {}) const;

  /// Reads a blob and compares it with its name; its size. Errors: `blob_missing`,
  /// `journal_corrupt`, `io_failed`.
  result<std::uint64_t> check(namespace_id space, const sha256_digest& name) const;

  /// Copies a blob to below another root and checks it on the way; its size. Whoever calls syncs
  /// all that was copied. Errors: those of `check`, `no_space`.
  result<std::uint64_t> copy(namespace_id space, const sha256_digest& name,
                             const blob_files& to) const;

private:
  result<file> open(namespace_id space, const sha256_digest& name) const;

  file_ops* files_;
  std::filesystem::path root_;
};

/// Sums up which blobs there are, in whatever order they come.
struct blob_totals {
  std::uint64_t count = 0, bytes = 0, digest = 0;
  bool operator==(const blob_totals&) const = default;
};

/// Counts one blob in.
void add_blob(blob_totals& to, namespace_id space, const sha256_digest& name, std::uint64_t bytes);

} // namespace troupe::storage
