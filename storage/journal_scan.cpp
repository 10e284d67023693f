#include "storage/journal_scan.hpp"

#include "troupe/limits.hpp"

#include <algorithm>
#include <fcntl.h>

namespace troupe::storage {

namespace {

constexpr int trims_beside_max = 1000; ///< By a writer, while one scan tries to come through.

error damaged(const journal_place& place, std::uint64_t segment, std::uint32_t offset,
              const std::string& what) {
  return {ec::journal_corrupt, segment_path(place.directory, segment).string() + " at byte "
                                   + std::to_string(offset) + ": " + what
                                   + "; acknowledged data is damaged, restore a backup"};
}

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

/// Scans from where `state` ends; the journal begins at segment `first`.
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

/// Hands on the batches that are the next ones of their shards; counts `next` up.
status read_segment(const journal_place& place, std::uint64_t number,
                    const segment_summary& summary, journal::positions& next,
                    const journal::reader& each) {
  auto segment = segment_view::open(*place.files, place.directory, number, O_RDONLY);
  if (!segment)
    return segment.error();
  auto owner_crc = crc_of(place.owner);
  for (auto at = summary.begin; at < summary.end;) {
    auto found = batch_at(*segment, {owner_crc, number, at});
    if (!segment->failure())
      return segment->failure();
    if (!found)
      return damaged(place, number, at, "no valid batch where there was one");
    auto& x = found->header;
    at += padded_bytes(x.length);
    auto wanted = x.kind == batch_kind::records ? next.find(x.shard) : next.end();
    if (wanted == next.end() || x.at < wanted->second)
      continue;
    ++wanted->second;
    if (auto done =
            each({x.shard, x.epoch, x.at, x.time, {found->records.begin(), found->records.end()}});
        !done)
      return done;
  }
  return {};
}

/// What is to be read must not be trimmed.
status check_kept(const journal_place& place, const journal_state& state, core::shard_id shard,
                  core::position from) {
  auto trimmed = state.trimmed.find(shard);
  if (trimmed == state.trimmed.end() || from > trimmed->second)
    return {};
  return error{ec::journal_corrupt, place.directory.string() + ", shard "
                                        + std::to_string(core::index_of(shard)) + ": batch "
                                        + std::to_string(from)
                                        + " was trimmed; read it from the snapshot, or restore "
                                          "a backup"};
}

/// Whether the segment holds a batch that is to be read.
bool holds_any(const segment_summary& segment, const journal::positions& next) {
  return std::ranges::any_of(next, [&](auto& wanted) {
    auto newest = segment.newest.find(wanted.first);
    return newest != segment.newest.end() && newest->second >= wanted.second;
  });
}

/// The stretch that the next batch belongs to.
journal_stretch& stretch_at_end(journal_state& state) {
  auto& all = state.stretches;
  if (all.empty() || all.back().begin.segment != state.end.segment
      || state.end.offset - all.back().begin.offset >= limits::journal_stretch_bytes)
    all.push_back({point_of(state), state.end, {}});
  return all.back();
}

/// Segments before the start are gone, or about to go. If the end of `state` is among them, all
/// that is left is new to it.
void forget_trimmed(journal_state& state, const journal_start& start) {
  if (state.end.segment != 0 && state.end.segment < start.first)
    state = {};
  state.segments.erase(state.segments.begin(), state.segments.lower_bound(start.first));
}

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

/// A shard whose batches were all trimmed ended there.
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

status continues(const journal_place& place, const journal_state& state, core::shard_id shard,
                 const opened& kept) {
  auto name = place.directory.string() + ", shard " + std::to_string(core::index_of(shard));
  auto trimmed = state.trimmed.find(shard);
  if (trimmed != state.trimmed.end() && kept.head < trimmed->second)
    return error{ec::journal_corrupt,
                 name + ": the snapshot has batches up to " + std::to_string(kept.head)
                     + ", the journal begins after " + std::to_string(trimmed->second)
                     + "; the snapshot is older than the journal, restore a backup"};
  auto found = state.shards.find(shard);
  if (found != state.shards.end() && found->second.head != 0 && found->second.head < kept.head)
    return error{ec::journal_corrupt, name + ": the snapshot has batches up to "
                                          + std::to_string(kept.head) + ", the journal ends with "
                                          + std::to_string(found->second.head)
                                          + "; acknowledged data is damaged, restore a backup"};
  return {};
}

void enter(journal_state& state, std::uint64_t number, std::uint32_t size) {
  state.segments[number] = {size, segment_header_bytes, {}};
  state.last = 0;
  state.synced = {number, 0}; // A header is written only when all before is durable.
  state.end = {number, segment_header_bytes};
}

resume_point point_of(const journal_state& state) {
  return {state.end.segment, state.last, state.chain};
}

void count(journal_state& state, const batch_header& x, std::uint32_t crc) {
  auto& segment = state.segments[state.end.segment];
  auto& stretch = stretch_at_end(state);
  state.last = state.end.offset;
  state.end.offset += padded_bytes(x.length);
  segment.end = state.end.offset;
  state.synced = std::max(state.synced, x.durable_upto);
  state.chain = crc;
  state.marked = x.kind == batch_kind::mark;
  if (state.marked)
    return;
  auto [found, is_first] = state.shards.try_emplace(x.shard);
  if (is_first && x.at > 1)
    state.trimmed[x.shard] = std::max(state.trimmed[x.shard], x.at - 1);
  auto& shard = found->second;
  shard.head = x.at;
  shard.epoch = std::max(shard.epoch, x.epoch);
  segment.newest[x.shard] = x.at;
  stretch.newest[x.shard] = x.at;
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

result<journal_state> scan_behind(const journal_place& place, const journal_applied& known) {
  if (auto state = resume(place, known))
    return std::move(*state);
  journal_state state;
  auto scanned = scan(place, state, tail_check::near);
  return scanned ? result<journal_state>{std::move(state)} : scanned.error();
}

status reaches(const journal_place& place, const journal_state& state, std::uint64_t at_least) {
  if (state.end.segment >= at_least)
    return {};
  return error{ec::journal_corrupt,
               place.directory.string() + " ends with segment " + std::to_string(state.end.segment)
                   + ", but the snapshot has seen segment " + std::to_string(at_least)
                   + "; acknowledged data is missing, put its files back or restore a backup"};
}

status read_batches(const journal_place& place, const journal_state& state, journal::positions next,
                    const journal::reader& each) {
  for (auto& [shard, from] : next) {
    from = std::max<core::position>(from, 1);
    if (auto kept = check_kept(place, state, shard, from); !kept)
      return kept;
  }
  for (auto& [number, summary] : state.segments) {
    if (!holds_any(summary, next))
      continue;
    auto done = read_segment(place, number, summary, next, each);
    if (done.code() == ec::io_failed || done.code() == ec::journal_corrupt)
      if (auto start = read_start(place); start && number < start->first)
        return error{ec::not_ready, segment_path(place.directory, number).string()
                                        + " was trimmed meanwhile; look again"};
    if (!done)
      return done;
  }
  return {};
}

} // namespace troupe::storage
