#include "storage/journal_scan_parts.hpp"

#include <algorithm>
#include <fcntl.h>

namespace troupe::storage {

namespace {

/// The place behind the last batch before `at`, if the segment holds that.
bool begin_behind(const journal_place& place, const resume_point& at, segment_view& segment,
                  journal_state& state) {
  segment_header header;
  if (decode(segment.at(0, segment_header_bytes), header) != header_state::valid
      || header.owner != place.owner || header.number != at.segment
      || header.size != segment.size())
    return false;
  state.end = {at.segment, segment_header_bytes};
  state.chain = header.previous_crc;
  state.last = at.batch;
  if (at.batch != 0) {
    auto last = batch_at(segment, {crc_of(place.owner), at.segment, at.batch});
    if (!last)
      return false;
    state.end.offset = at.batch + padded_bytes(last->header.length);
    state.chain = last->crc;
    state.marked = last->header.kind == batch_kind::mark;
  }
  state.synced = state.end; // What a snapshot remembers was synced.
  return state.chain == at.chain;
}

/// What is known without reading what a snapshot holds; nothing if it does not fit.
std::optional<journal_state> state_at(const journal_place& place, const journal_applied& known,
                                      std::uint64_t first) {
  auto numbers = needed_segments(place, first);
  auto& at = known.resume;
  if (!numbers || !std::ranges::binary_search(*numbers, at.segment))
    return std::nullopt;
  journal_state state;
  for (auto number : *numbers) {
    if (number > at.segment)
      break;
    auto segment = segment_view::open(*place.files, place.directory, number, O_RDONLY);
    if (!segment || (number == at.segment && !begin_behind(place, at, *segment, state)))
      return std::nullopt;
    state.segments[number] = {segment->size(), segment_header_bytes, known.shards};
  }
  auto& last = state.segments[at.segment];
  last.begin = last.end = state.end.offset;
  return state;
}

/// Whether nothing is missing between the snapshot and what was read; counts what it holds.
bool join(journal_state& state, const journal_applied& known) {
  for (auto& [shard, upto] : state.trimmed) {
    auto held = known.shards.find(shard);
    if (held == known.shards.end() || held->second < upto)
      return false;
  }
  for (auto& [shard, upto] : known.shards) {
    state.shards.try_emplace(shard, opened{{}, upto});
    state.trimmed[shard] = upto;
  }
  return true;
}

/// Reads what lies behind the snapshot. Nothing if anything is not as it should be: a whole scan
/// finds out what.
std::optional<journal_state> resume(const journal_place& place, const journal_applied& known) {
  auto start = read_start(place);
  if (!start || known.resume.segment == 0)
    return std::nullopt;
  auto state = state_at(place, known, start->first);
  if (!state || !scan_from(place, *state, start->first, tail_check::near) || !join(*state, known)
      || !count_trimmed(place, *state, *start))
    return std::nullopt;
  return state;
}

} // namespace

result<journal_state> scan_behind(const journal_place& place, const journal_applied& known) {
  if (auto state = resume(place, known))
    return std::move(*state);
  journal_state state;
  auto scanned = scan(place, state, tail_check::near);
  return scanned ? result<journal_state>{std::move(state)} : scanned.error();
}

} // namespace troupe::storage
