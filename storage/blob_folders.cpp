#include "storage/blob_folders.hpp"

#include <algorithm>
#include <cerrno>

namespace troupe::storage {

namespace fs = std::filesystem;

blob_folders::blob_folders(file_ops& files, fs::path root)
    : files_(files), root_(std::move(root)) {}

fs::path blob_folders::path_of(const blob_key& key) const {
  auto hex = to_hex(key.name);
  return path_of(key.space) / hex.substr(0, 2) / hex;
}

status blob_folders::make(const fs::path& directory) {
  std::scoped_lock lock{mutex_};
  auto made = make_one(passing());
  return made ? make_one(directory) : made;
}

status blob_folders::make_one(const fs::path& directory) {
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

blob_folders::change::change(blob_folders& in, fs::path directory)
    : in_(in), directory_(std::move(directory)) {
  std::scoped_lock lock{in_.mutex_};
  auto& names = in_.names_[directory_];
  ++names.changing;
  ++names.changes;
  names.synced = false;
}

blob_folders::change::~change() {
  std::scoped_lock lock{in_.mutex_};
  --in_.names_[directory_].changing;
}

status blob_folders::sync(const fs::path& directory) {
  std::unique_lock lock{mutex_};
  auto before = names_[directory];
  lock.unlock();
  if (before.synced)
    return {};
  if (auto synced = sync_directory(files_, directory); !synced)
    return synced;
  lock.lock();
  auto& names = names_[directory];
  // A change that went on meanwhile may have come after the sync.
  names.synced = before.changing == 0 && names.changing == 0 && names.changes == before.changes;
  return {};
}

fs::path blob_folders::path_of(namespace_id space) const {
  return root_ / std::to_string(static_cast<std::uint32_t>(space));
}

/// Its directories, sorted as the names in them are.
result<std::vector<std::string>> blob_folders::folders_of(namespace_id space) const {
  std::vector<std::string> folders;
  if (int failed = files_.list(path_of(space), folders); failed < 0 && failed != -ENOENT)
    return os_error("list", path_of(space), failed);
  std::sort(folders.begin(), folders.end());
  return folders;
}

/// Adds the names in one directory, sorted.
status blob_folders::add_names(const fs::path& folder, std::vector<sha256_digest>& to) const {
  std::vector<std::string> entries;
  if (int failed = files_.list(folder, entries); failed < 0)
    return os_error("list", folder, failed);
  std::sort(entries.begin(), entries.end());
  for (auto& entry : entries)
    if (auto name = sha256_from_hex(entry))
      to.push_back(*name);
  return {};
}

result<std::vector<sha256_digest>> blob_folders::names_of(namespace_id space) const {
  return names_behind(space, {}, std::size_t(-1));
}

result<std::vector<sha256_digest>>
blob_folders::names_behind(namespace_id space, const std::optional<sha256_digest>& after,
                           std::size_t limit) const {
  auto folders = folders_of(space);
  if (!folders)
    return folders.error();
  auto first = after ? to_hex(*after).substr(0, 2) : "";
  std::vector<sha256_digest> names;
  for (auto& folder : *folders) {
    if (folder < first || names.size() >= limit)
      continue;
    if (auto added = add_names(path_of(space) / folder, names); !added)
      return added.error();
    if (after && folder == first)
      std::erase_if(names, [&](auto& x) { return x <= *after; });
  }
  names.resize(std::min(names.size(), limit));
  return names;
}

} // namespace troupe::storage
