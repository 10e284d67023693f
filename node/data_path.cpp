#include "node/data_path.hpp"

#include "storage/backup_manifest.hpp"

namespace troupe::node {

namespace {

namespace fs = std::filesystem;

/// What cannot be looked at may be there: opening it tells.
bool is_missing(const fs::path& path) {
  std::error_code ignored;
  return fs::status(path, ignored).type() == fs::file_type::not_found;
}

/// What cannot be looked at tells nothing of itself.
bool is_seen(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::status(path, ignored));
}

bool may_be_directory(const fs::path& path) {
  std::error_code ignored;
  auto type = fs::status(path, ignored).type();
  return type == fs::file_type::directory || type == fs::file_type::none;
}

} // namespace

std::optional<trouble> no_data_at(const fs::path& path) {
  if (is_missing(path))
    return trouble{fault::no_data_directory, "there is no data directory " + path.string()};
  if (auto backup = backup_at(path))
    return backup;
  auto no_data = path.string() + " is no data directory";
  if (!may_be_directory(path))
    return trouble{fault::no_data_directory, no_data, "it is no directory at all"};
  if (is_missing(path / "MANIFEST") && is_missing(path / "journal"))
    return trouble{fault::no_data_directory, no_data, "there is no MANIFEST in it"};
  return {};
}

std::optional<trouble> backup_at(const fs::path& path) {
  if (!may_be_directory(path) || !is_seen(path / storage::backup_file_name))
    return {};
  return trouble{fault::no_data_directory, path.string() + " is a backup, no data directory",
                 "a backup stays as it is: nothing is run, imported or copied there",
                 "`troupe restore " + path.string() + " --data NEW` makes a data directory of it"};
}

std::optional<trouble> no_backup_at(const fs::path& path) {
  if (is_missing(path))
    return trouble{fault::unreadable_file, "there is no backup " + path.string(),
                   "nothing of this name is there", "name what `troupe backup` has made"};
  if (may_be_directory(path) && !is_missing(path / storage::backup_file_name))
    return {};
  auto why = is_missing(path / "MANIFEST")
                 ? "there is no BACKUP in it; one that was not finished has none"
                 : "it is a data directory";
  return trouble{fault::unreadable_file, path.string() + " is no backup", why,
                 "name what `troupe backup` has made"};
}

} // namespace troupe::node
