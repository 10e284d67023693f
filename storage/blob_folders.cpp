#include "storage/blob_folders.hpp"

#include <algorithm>
#include <cerrno>

namespace troupe::storage {

namespace fs = std::filesystem;

blob_folders::blob_folders(file_ops& files, fs::path root)
    : files_(files), root_(std::move(root)) {}

fs::path blob_folders::path_of(const blob_key& key) const {
  auto hex = to_hex(key.name);
  return root_ / std::to_string(static_cast<std::uint32_t>(key.space)) / hex.substr(0, 2) / hex;
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

result<std::vector<sha256_digest>> blob_folders::names_of(namespace_id space) const {
  auto top = root_ / std::to_string(static_cast<std::uint32_t>(space));
  std::vector<std::string> folders;
  if (int failed = files_.list(top, folders); failed < 0 && failed != -ENOENT)
    return os_error("list", top, failed);
  std::vector<sha256_digest> names;
  for (auto& folder : folders) {
    std::vector<std::string> entries;
    if (int failed = files_.list(top / folder, entries); failed < 0)
      return os_error("list", top / folder, failed);
    for (auto& entry : entries)
      if (auto name = sha256_from_hex(entry))
        names.push_back(*name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

} // namespace troupe::storage
