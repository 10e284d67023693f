#include "storage/blob_store.hpp"

#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <set>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

error too_large(std::size_t size, std::size_t bytes_max) {
  return {ec::too_large, "a blob of " + std::to_string(size) + " bytes is beyond the limit of "
                             + std::to_string(bytes_max)};
}

error missing(namespace_id space, const sha256_digest& name) {
  return {ec::blob_missing, "there is no blob sha256:" + to_hex(name) + " in namespace "
                                + std::to_string(static_cast<std::uint32_t>(space))
                                + "; restore a backup"};
}

class file_blob_store final : public blob_store {
public:
  explicit file_blob_store(const data_dir& directory)
      : files_(directory.files()),
        root_(directory.blobs_path()),
        passing_(root_ / "tmp"),
        writable_(directory.mode() == open_mode::write) {}

  /// Removes what a crash left half written.
  status clean() {
    std::vector<std::string> names;
    if (int failed = files_.list(passing_, names); failed < 0)
      return failed == -ENOENT ? status{} : status{os_error("list", passing_, failed)};
    for (auto& name : names)
      if (int failed = files_.unlink(passing_ / name); failed < 0)
        return os_error("remove", passing_ / name, failed);
    return {};
  }

  result<sha256_digest> put(namespace_id space, core::byte_view data,
                            std::size_t bytes_max) override {
    if (!writable_)
      return error{ec::unsupported, root_.string() + " is open for reading only"};
    if (data.size() > bytes_max)
      return too_large(data.size(), bytes_max);
    auto name = sha256(data);
    auto path = path_of(space, name);
    for (auto& directory : {passing_, path.parent_path()})
      if (auto made = make_durable(directory); !made)
        return made.error();
    auto there = read_file(files_, path);
    bool intact =
        there && *there && std::equal(data.begin(), data.end(), (*there)->begin(), (*there)->end());
    auto passing = passing_ / std::to_string(next_++);
    // Who wrote one that is there may have died before its name was durable.
    auto kept = intact ? sync_directory(files_, path.parent_path())
                       : replace_file(files_, path, passing, data);
    if (!kept)
      return kept.error();
    return name;
  }

  result<core::bytes> get(namespace_id space, const sha256_digest& name) override {
    auto path = path_of(space, name);
    auto content = read_file(files_, path);
    if (!content)
      return content.error();
    if (!*content)
      return missing(space, name);
    if (sha256(**content) != name)
      return error{ec::journal_corrupt,
                   path.string()
                       + " is damaged: its content does not fit its name; restore a backup"};
    return std::move(**content);
  }

private:
  fs::path path_of(namespace_id space, const sha256_digest& name) const {
    auto hex = to_hex(name);
    return root_ / std::to_string(static_cast<std::uint32_t>(space)) / hex.substr(0, 2) / hex;
  }

  /// Makes a directory that outlasts a crash; once per directory, as no one removes any.
  status make_durable(const fs::path& directory) {
    std::scoped_lock lock{mutex_};
    if (durable_.contains(directory))
      return {};
    // From the top, as each of them may be left from a crash before it was synced.
    for (auto& above : {root_, directory.parent_path(), directory})
      if (!durable_.contains(above)) {
        if (auto made = make_directories(files_, above); !made)
          return made;
        durable_.insert(above);
      }
    return {};
  }

  file_ops& files_;
  fs::path root_, passing_;
  bool writable_;
  std::atomic<std::uint64_t> next_ = 1;
  std::mutex mutex_;
  std::set<fs::path> durable_;
};

class memory_blobs final : public blob_store {
public:
  result<sha256_digest> put(namespace_id space, core::byte_view data,
                            std::size_t bytes_max) override {
    if (data.size() > bytes_max)
      return too_large(data.size(), bytes_max);
    auto name = sha256(data);
    std::scoped_lock lock{mutex_};
    blobs_.try_emplace({space, name}, data.begin(), data.end());
    return name;
  }

  result<core::bytes> get(namespace_id space, const sha256_digest& name) override {
    std::scoped_lock lock{mutex_};
    auto found = blobs_.find({space, name});
    if (found == blobs_.end())
      return missing(space, name);
    return found->second;
  }

private:
  std::mutex mutex_;
  std::map<std::pair<namespace_id, sha256_digest>, core::bytes> blobs_;
};

} // namespace

result<std::unique_ptr<blob_store>> open_blob_store(const data_dir& directory) {
  auto store = std::make_unique<file_blob_store>(directory);
  if (directory.mode() == open_mode::write)
    if (auto cleaned = store->clean(); !cleaned)
      return cleaned.error();
  return std::unique_ptr<blob_store>{std::move(store)};
}

std::unique_ptr<blob_store> memory_blob_store() { return std::make_unique<memory_blobs>(); }

} // namespace troupe::storage
