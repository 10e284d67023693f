#pragma once

#include "core/bytes.hpp"
#include "core/types.hpp"
#include "storage/node_identity.hpp"

#include <array>
#include <compare>
#include <optional>

/// How batches lie in a segment, version 1: a segment header, then batches, each a header, its
/// records and zeros up to the next multiple of 64, then zeros to the end. Integers are big-endian.
/// Every batch carries the CRC of the one before (a chain over all shards and segments) and its
/// own, which also covers its place and its owner, so that it is checked without its predecessor.
namespace troupe::storage {

inline constexpr std::uint32_t segment_format_version = 1;
inline constexpr std::uint32_t segment_header_bytes = 128;
inline constexpr std::uint32_t batch_header_bytes = 64;
inline constexpr std::uint32_t batch_alignment = 64;

/// A place in the journal, before anything: segment 0.
struct disk_position {
  std::uint64_t segment = 0;
  std::uint32_t offset = 0;

  auto operator<=>(const disk_position&) const = default;
};

/// The start of a segment. It is written with the first batches, when all before is durable.
struct segment_header {
  node_identity owner;
  std::uint64_t number = 1;
  std::uint64_t size = 0;         ///< Of the file, in bytes.
  std::uint32_t previous_end = 0; ///< Where the segment before ends.
  std::uint32_t previous_crc = 0; ///< The chain at that place.

  bool operator==(const segment_header&) const = default;
};

/// `blank` is all zeros: prepared, not yet used.
enum class header_state { valid, blank, damaged, newer };

std::array<std::uint8_t, segment_header_bytes> encode(const segment_header& x);

/// Reads a segment header; `x` is set only if it is `valid`.
header_state decode(core::byte_view raw, segment_header& x);

/// `mark` has no shard and no records: it only carries `durable_upto`.
enum class batch_kind : std::uint16_t { records = 0, mark = 1 };

/// The start of a batch.
struct batch_header {
  std::uint32_t previous_crc = 0;
  std::uint32_t length = 0; ///< Bytes of records.
  std::uint64_t segment = 0;
  core::shard_id shard{};
  batch_kind kind = batch_kind::records;
  core::epoch epoch{};
  core::position at = 0;
  core::shard_time time{};
  disk_position durable_upto; ///< All before this place was synced before this was written.

  bool operator==(const batch_header&) const = default;
};

/// Where a batch lies, for its CRC: bytes that were moved or come from elsewhere do not fit.
struct batch_place {
  std::uint32_t owner_crc = 0; ///< `crc_of` the owner.
  std::uint64_t segment = 0;
  std::uint32_t offset = 0;
};

std::uint32_t crc_of(const node_identity& owner);

/// Bytes that a batch with `length` bytes of records takes on disk.
constexpr std::uint32_t padded_bytes(std::size_t length) noexcept {
  auto used = batch_header_bytes + length;
  return static_cast<std::uint32_t>((used + batch_alignment - 1) / batch_alignment
                                    * batch_alignment);
}

/// Appends the header of a batch to `out`; returns its CRC, which the next batch chains on. The
/// records and zeros up to `padded_bytes` follow on disk.
std::uint32_t encode(const batch_header& x, const batch_place& place, core::byte_view records,
                     core::bytes& out);

/// A batch on disk; `records` points into what was decoded.
struct decoded_batch {
  batch_header header;
  std::uint32_t crc = 0;
  core::byte_view records;
};

/// Bytes that the batch behind a header claims to take; 0 if no batch of `segment` starts so.
std::uint32_t claimed_bytes(core::byte_view header, std::uint64_t segment);

/// Whether there is nothing but zeros.
bool is_zero(core::byte_view data);

/// Reads the batch that fills `raw`; nothing if a byte of it, padding included, is wrong.
std::optional<decoded_batch> decode_batch(core::byte_view raw, const batch_place& place);

} // namespace troupe::storage
