#pragma once

#include "storage/node_identity.hpp"
#include "troupe/error.hpp"

#include <chrono>

namespace troupe::storage {

/// Format 1 has a journal and blobs; format 2 also has a snapshot, and the journal no longer need
/// begin at the start.
inline constexpr std::uint32_t data_format_version = 2, data_format_first = 1;
inline constexpr std::uint32_t feature_level_known = 4, feature_level_first = 1;
inline constexpr std::uint16_t default_shards = 4;

/// What a data directory is, from when it is made: a few lines of text with a checksum.
struct manifest {
  std::uint32_t format = data_format_version;
  node_identity owner;
  std::uint16_t shards = default_shards;
  std::uint32_t feature_level = feature_level_known; ///< The newest records that may be written.
  std::chrono::sys_time<std::chrono::milliseconds> created{};

  bool operator==(const manifest&) const = default;
};

std::string encode(const manifest& x);

/// Errors: `journal_corrupt` if a byte is wrong, `newer_format`.
result<manifest> decode_manifest(std::string_view text);

} // namespace troupe::storage
