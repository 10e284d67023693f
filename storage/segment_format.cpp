#include "storage/segment_format.hpp"

#include "core/crc32c.hpp"
#include "core/wire.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace troupe::storage {

namespace {

constexpr std::uint64_t segment_magic = 0x54525045'5345470a; // "TRPESEG\n"
constexpr std::uint32_t batch_magic = 0x54525042;            // "TRPB"
constexpr std::size_t batch_crc_at = 4;
constexpr std::array<std::uint8_t, batch_alignment> zeros{};

void put(core::bytes& out, const node_identity& x) {
  out.insert(out.end(), x.node.bytes.begin(), x.node.bytes.end());
  core::writer{out}(x.incarnation);
}

void get(core::reader& in, node_identity& x) {
  if (auto taken = in.take(x.node.bytes.size()); in.ok)
    std::copy(taken.begin(), taken.end(), x.node.bytes.begin());
  in(x.incarnation);
}

/// Bytes of padding behind `length` bytes of records.
core::byte_view padding(std::size_t length) {
  return core::byte_view{zeros}.first(padded_bytes(length) - batch_header_bytes - length);
}

} // namespace

std::array<std::uint8_t, segment_header_bytes> encode(const segment_header& x) {
  core::bytes raw;
  core::writer out{raw};
  out(segment_magic, segment_format_version);
  put(raw, x.owner);
  out(x.number, x.size, x.previous_end, x.previous_crc);
  raw.resize(segment_header_bytes - sizeof(std::uint32_t));
  out(core::crc32c(raw));
  std::array<std::uint8_t, segment_header_bytes> block;
  std::copy(raw.begin(), raw.end(), block.begin());
  return block;
}

header_state decode(core::byte_view raw, segment_header& x) {
  assert(raw.size() == segment_header_bytes);
  if (is_zero(raw))
    return header_state::blank;
  core::reader in{raw};
  std::uint64_t magic = 0;
  std::uint32_t version = 0, crc = 0;
  segment_header found;
  in(magic, version);
  get(in, found.owner);
  in(found.number, found.size, found.previous_end, found.previous_crc);
  auto covered = raw.first(segment_header_bytes - sizeof crc);
  core::reader{raw.subspan(covered.size())}(crc);
  if (magic != segment_magic || crc != core::crc32c(covered))
    return header_state::damaged;
  if (version > segment_format_version)
    return header_state::newer;
  x = found;
  return version == segment_format_version ? header_state::valid : header_state::damaged;
}

std::uint32_t crc_of(const node_identity& owner) {
  core::bytes raw;
  put(raw, owner);
  return core::crc32c(raw);
}

std::uint32_t encode(const batch_header& x, const batch_place& place, core::byte_view records,
                     core::bytes& out) {
  assert(x.length == records.size() && x.segment == place.segment);
  auto start = out.size();
  // The offset stands in for the CRC while that is computed.
  core::writer{out}(batch_magic, place.offset, x.previous_crc, x.length, x.segment, x.shard, x.kind,
                    x.durable_upto.offset, x.epoch, x.at, x.time, x.durable_upto.segment);
  assert(out.size() - start == batch_header_bytes);
  auto header = std::span{out}.subspan(start);
  auto crc = core::crc32c(header, place.owner_crc);
  crc = core::crc32c(padding(records.size()), core::crc32c(records, crc));
  for (std::size_t i = 0; i < sizeof crc; ++i)
    header[batch_crc_at + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  return crc;
}

std::uint32_t claimed_bytes(core::byte_view header, std::uint64_t segment) {
  if (header.size() < batch_header_bytes)
    return 0;
  core::reader in{header};
  std::uint32_t magic = 0, crc = 0, previous_crc = 0, length = 0;
  std::uint64_t in_segment = 0;
  in(magic, crc, previous_crc, length, in_segment);
  bool fits = magic == batch_magic && in_segment == segment && length <= limits::batch_bytes_max;
  return fits ? padded_bytes(length) : 0;
}

std::optional<decoded_batch> decode_batch(core::byte_view raw, const batch_place& place) {
  if (raw.empty() || claimed_bytes(raw, place.segment) != raw.size())
    return std::nullopt;
  core::reader in{raw};
  std::uint32_t magic = 0;
  std::uint16_t kind = 0;
  decoded_batch found;
  auto& x = found.header;
  in(magic, found.crc, x.previous_crc, x.length, x.segment, x.shard, kind, x.durable_upto.offset,
     x.epoch, x.at, x.time, x.durable_upto.segment);
  x.kind = static_cast<batch_kind>(kind);
  found.records = raw.subspan(batch_header_bytes, x.length);
  core::bytes again;
  auto crc = encode(x, place, found.records, again);
  auto rest = raw.subspan(batch_header_bytes + x.length);
  if (crc != found.crc || !is_zero(rest) || kind > 1)
    return std::nullopt;
  return found;
}

bool is_zero(core::byte_view data) { // The first byte is, and each other one equals that before it.
  return data.empty()
         || (data[0] == 0 && std::memcmp(data.data(), data.data() + 1, data.size() - 1) == 0);
}

} // namespace troupe::storage
