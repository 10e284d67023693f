#include "storage/journal_scan.hpp"

#include "storage/journal_scan_parts.hpp"

#include <algorithm>
#include <fcntl.h>

namespace troupe::storage {

namespace {

constexpr int trims_beside_max = 1000; ///< By a writer, while one scan tries to come through.

/// Nothing was scanned yet.
bool is_fresh(const journal_state& state) { return state.segments.empty(); }

/// Checks a valid header of another segment than `state` ends in.
status check(const journal_place& place, const journal_state& state, const segment_header& x,
             std::uint64_t number, std::uint32_t size) {
  auto file = segment_path(place.directory, number).string();
  if (x.owner != place.owner)
    return error{ec::wrong_node, file + " belongs to node " + to_string(x.owner.node)
                                     + ", incarnation " + std::to_string(x.owner.incarnation)
                                     + ", the directory to " + to_string(place.owner.node)
                                     + ", incarnation " + std::to_string(place.owner.incarnation)
                                     + "; open each node's own directory"};
  if (x.number != number || x.size != size)
    return damaged(place, number, 0, "the header does not fit the file");
  if (x.previous_end < state.end.offset
      || (x.previous_end == state.end.offset && x.previous_crc != state.chain))
    return damaged(place, number, 0, "the segment does not continue the one before");
  return {};
}

/// A journal that begins at a later segment continues what was trimmed.
void begin_at(journal_state& state, const segment_header& x) {
  state.end = {x.number - 1, x.previous_end};
  state.chain = x.previous_crc;
}

/// Enters the segment after `state.end` if its header is there. `false`: it is not in use.
result<bool> enter_next(const journal_place& place, journal_state& state, segment_view& segment,
                        std::uint64_t number) {
  segment_header found;
  auto raw = segment.at(0, segment_header_bytes);
  if (!segment.failure())
    return segment.failure().error();
  switch (decode(raw, found)) {
  case header_state::newer:
    return error{ec::newer_format, segment_path(place.directory, number).string()
                                       + " is of a newer format; start that version"};
  case header_state::blank:
  case header_state::damaged:
    if (is_fresh(state) && number > 1) // It was in use when those before it were trimmed.
      return damaged(place, number, 0, "the header is damaged");
    return false;
  case header_state::valid: break;
  }
  if (is_fresh(state) && number > 1)
    begin_at(state, found);
  if (auto fits = check(place, state, found, number, segment.size()); !fits)
    return fits.error();
  if (found.previous_end > state.end.offset) // Damage there, or its writer has just gone on.
    return false;
  enter(state, number, segment.size());
  return true;
}

/// Counts batches from `state.end` on, within the segment.
status scan_segment(const journal_place& place, journal_state& state, segment_view& segment) {
  auto owner_crc = crc_of(place.owner);
  for (;;) {
    auto found = batch_at(segment, {owner_crc, state.end.segment, state.end.offset});
    if (!segment.failure())
      return segment.failure();
    if (!found || found->header.previous_crc != state.chain
        || found->header.durable_upto > state.end)
      return {};
    auto& x = found->header;
    auto known = state.shards.find(x.shard);
    if (x.kind == batch_kind::records && known != state.shards.end()
        && x.at != known->second.head + 1)
      return damaged(place, state.end.segment, state.end.offset,
                     "shard " + std::to_string(core::index_of(x.shard)) + " goes on with batch "
                         + std::to_string(x.at));
    count(state, x, found->crc);
  }
}

/// Goes on from `state.end` through the segments to the first place without a valid batch.
status advance(const journal_place& place, journal_state& state,
               const std::vector<std::uint64_t>& numbers) {
  for (auto number : numbers) {
    if (number < state.end.segment)
      continue;
    auto segment = segment_view::open(*place.files, place.directory, number, O_RDONLY);
    if (!segment)
      return segment.error();
    if (number > state.end.segment) {
      auto entered = enter_next(place, state, *segment, number);
      if (!entered)
        return entered.error();
      if (!*entered)
        return {};
    }
    if (auto scanned = scan_segment(place, state, *segment); !scanned)
      return scanned;
  }
  return {};
}

/// Segments before the start are gone, or about to go. If the end of `state` is among them, all
/// that is left is new to it.
void forget_trimmed(journal_state& state, const journal_start& start) {
  if (state.end.segment != 0 && state.end.segment < start.first)
    state = {};
  state.segments.erase(state.segments.begin(), state.segments.lower_bound(start.first));
}

} // namespace

error damaged(const journal_place& place, std::uint64_t segment, std::uint32_t offset,
              const std::string& what) {
  return {ec::journal_corrupt, segment_path(place.directory, segment).string() + " at byte "
                                   + std::to_string(offset) + ": " + what
                                   + "; acknowledged data is damaged, restore a backup"};
}

status scan_from(const journal_place& place, journal_state& state, std::uint64_t first,
                 tail_check tail) {
  for (std::optional<disk_position> suspect;;) {
    auto numbers = needed_segments(place, first);
    if (!numbers)
      return numbers.error();
    if (auto advanced = advance(place, state, *numbers); !advanced)
      return advanced;
    if (suspect == state.end)
      return damaged(place, std::max<std::uint64_t>(state.end.segment, 1), state.end.offset,
                     "no valid batch, but a later one shows that it was durable");
    auto behind = look_behind(place, state.end, *numbers, tail);
    if (!behind)
      return behind.error();
    state.nonzero = std::move(behind->nonzero);
    if (!behind->shows_synced)
      return {};
    // A writer beside this may have filled the place meanwhile: it is damaged if it still is bad.
    suspect = state.end;
  }
}

status count_trimmed(const journal_place& place, journal_state& state, const journal_start& start) {
  for (auto& [shard, upto] : start.trimmed) {
    auto [found, is_gone] = state.shards.try_emplace(shard, opened{{}, upto});
    if (!is_gone && found->second.head < upto)
      return damaged(place, state.end.segment, state.end.offset,
                     "shard " + std::to_string(core::index_of(shard)) + " ends with batch "
                         + std::to_string(found->second.head) + ", but had one of number "
                         + std::to_string(upto));
    state.trimmed[shard] = std::max(state.trimmed[shard], upto);
  }
  return {};
}

status scan(const journal_place& place, journal_state& state, tail_check tail) {
  auto start = read_start(place);
  for (int tries = 0; start && tries < trims_beside_max; ++tries) {
    auto next = state;
    forget_trimmed(next, *start);
    auto scanned = scan_from(place, next, start->first, tail);
    auto after = read_start(place);
    if (!after)
      return after.error();
    if (after->first == start->first) {
      if (!scanned)
        return scanned;
      state = std::move(next);
      return count_trimmed(place, state, *after);
    }
    start = std::move(after); // What went meanwhile is no damage.
  }
  return start ? status{error{ec::io_failed, place.directory.string()
                                                 + " is trimmed faster than it can be read; "
                                                   "repeat, or take a backup"}}
               : status{start.error()};
}

} // namespace troupe::storage
