#include "actors/store_parts.hpp"

#include "core/records.hpp"

namespace troupe::actors {

namespace {

status check_level(std::uint32_t level) {
  if (level <= core::feature_level_current)
    return {};
  return error{ec::newer_format, "the store is of feature level " + std::to_string(level)
                                     + ", this version of troupe knows "
                                     + std::to_string(core::feature_level_current)
                                     + "; start the version that wrote it"};
}

} // namespace

status take(storage::view& view, const storage::batch& x, std::uint32_t& level) {
  auto decoded = core::decode(x.records, [&](core::record&& r) -> status {
    if (auto raised = std::get_if<core::feature_level_raised>(&r.body))
      level = std::max(level, raised->level);
    return {};
  });
  if (!decoded)
    return decoded;
  if (auto known = check_level(level); !known)
    return known;
  view.add(x);
  return {};
}

result<storage::shard_meta> meta_of(storage::table_store& tables, core::shard_id id) {
  auto reader = tables.read();
  if (!reader)
    return reader.error();
  auto meta = storage::snapshot_read{**reader, id}.meta();
  if (meta)
    if (auto known = check_level(meta->level); !known)
      return known.error();
  return meta;
}

result<std::shared_ptr<storage::data_dir>> open_directory(const std::filesystem::path& path,
                                                          storage::open_mode mode,
                                                          storage::data_dir_options options) {
  auto directory = storage::data_dir::open(path, mode, options);
  if (!directory)
    return directory.error();
  return std::make_shared<storage::data_dir>(std::move(*directory));
}

} // namespace troupe::actors
