#pragma once

#include "actors/store.hpp"

namespace troupe::actors {

/// Takes one durable batch into the view, once every record in it is known to be readable; raises
/// `level` to what they need. Errors: `newer_format`, `unknown_record`, `journal_corrupt`.
status take(storage::view& view, const storage::batch& x, std::uint32_t& level);

/// What the tables tell of a shard. Errors: `newer_format`, those of `table_store`.
result<storage::shard_meta> meta_of(storage::table_store& tables, core::shard_id id);

/// Errors: those of `data_dir::open`.
result<std::shared_ptr<storage::data_dir>> open_directory(const std::filesystem::path& path,
                                                          storage::open_mode mode,
                                                          storage::data_dir_options options);

} // namespace troupe::actors
