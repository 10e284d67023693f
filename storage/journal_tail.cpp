#include "storage/journal_tail.hpp"

#include "storage/journal_scan.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <fcntl.h>

namespace troupe::storage {

namespace {

/// Unused parts of a segment are passed in such steps; a multiple of `batch_alignment`.
constexpr std::uint32_t skip_bytes = 4 << 10;

/// A write that follows one at some place begins within it.
constexpr auto near_bytes =
    static_cast<std::uint32_t>(limits::journal_write_bytes_max + batch_alignment);

/// How many bytes at a place, at most `skip_bytes`, are zeros: nothing begins there.
std::uint32_t zeros_at(segment_view& segment, std::uint32_t at) {
  auto bytes = std::min(skip_bytes, segment.size() - at);
  return is_zero(segment.at(at, bytes)) ? bytes : 0;
}

/// Up to where a segment may hold anything from `from` on.
result<std::uint32_t> reach_of(segment_view& segment, std::uint32_t from, tail_check check) {
  auto size = segment.size();
  if (check == tail_check::thorough || size - from <= near_bytes)
    return size;
  core::bytes page(skip_bytes);
  for (std::uint64_t at = from + near_bytes; at < size; at += limits::journal_probe_step) {
    auto got = segment.handle().read(page, at);
    if (!got)
      return got.error();
    if (!is_zero(core::byte_view{page}.first(*got)))
      return size;
  }
  return from + near_bytes;
}

/// What the segment holds from `from` on.
journal_tail look_through(segment_view& segment, const batch_place& from, std::uint32_t to,
                          disk_position suspect) {
  journal_tail found;
  auto& nonzero = found.nonzero[from.segment];
  segment_header header;
  if (from.offset == 0 && decode(segment.at(0, segment_header_bytes), header) == header_state::valid
      && disk_position{header.number - 1, header.previous_end} > suspect)
    found.shows_synced = true;
  for (auto at = from.offset; at < to && !found.shows_synced && segment.failure();) {
    if (auto zeros = zeros_at(segment, at); zeros > 0) {
      at += zeros;
      continue;
    }
    nonzero = std::min(at + skip_bytes, segment.size());
    auto batch = batch_at(segment, {from.owner_crc, from.segment, at});
    found.shows_synced = batch && batch->header.durable_upto > suspect;
    at += batch_alignment;
  }
  return found;
}

} // namespace

result<journal_tail> look_behind(const journal_place& place, disk_position suspect,
                                 const std::vector<std::uint64_t>& numbers, tail_check check) {
  journal_tail all;
  auto owner_crc = crc_of(place.owner);
  for (auto number : numbers) {
    if (number < suspect.segment)
      continue;
    auto segment = segment_view::open(*place.files, place.directory, number, O_RDONLY);
    if (!segment)
      return segment.error();
    auto from = number == suspect.segment ? suspect.offset : 0;
    auto to = reach_of(*segment, from, check);
    if (!to)
      return to.error();
    auto found = look_through(*segment, {owner_crc, number, from}, *to, suspect);
    if (!segment->failure())
      return segment->failure().error();
    all.nonzero.merge(found.nonzero);
    all.shows_synced = found.shows_synced;
    if (all.shows_synced)
      break;
  }
  return all;
}

status settle(const journal_place& place, const journal_state& state) {
  auto numbers = needed_segments(place, std::max<std::uint64_t>(state.end.segment, 1));
  if (!numbers)
    return numbers.error();
  for (auto number : *numbers) {
    auto segment = segment_view::open(*place.files, place.directory, number, O_RDWR);
    if (!segment)
      return segment.error();
    bool last = number == state.end.segment;
    auto from = state.synced.segment == number ? state.synced.offset : 0;
    if (last)
      if (auto done = rewrite(*segment, from, state.end.offset); !done)
        return done;
    auto found = state.nonzero.find(number);
    auto upto = found != state.nonzero.end() ? found->second : segment->size();
    if (auto done = clear(*segment, last ? state.end.offset : 0, upto); !done)
      return done;
    if (auto done = segment->handle().sync_data(); !done)
      return done;
  }
  if (auto done = settle_start(place); !done)
    return done;
  // One that was prepared by a process which died may not have its name durably.
  return sync_directory(*place.files, place.directory);
}

} // namespace troupe::storage
