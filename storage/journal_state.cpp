#include "storage/journal_state.hpp"

#include "troupe/limits.hpp"

namespace troupe::storage {

namespace {

/// The stretch that the next batch belongs to.
journal_stretch& stretch_at_end(journal_state& state) {
  auto& all = state.stretches;
  if (all.empty() || all.back().begin.segment != state.end.segment
      || state.end.offset - all.back().begin.offset >= limits::journal_stretch_bytes)
    all.push_back({point_of(state), state.end, {}});
  return all.back();
}

} // namespace

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

status reaches(const journal_place& place, const journal_state& state, std::uint64_t at_least) {
  if (state.end.segment >= at_least)
    return {};
  return error{ec::journal_corrupt,
               place.directory.string() + " ends with segment " + std::to_string(state.end.segment)
                   + ", but the snapshot has seen segment " + std::to_string(at_least)
                   + "; acknowledged data is missing, put its files back or restore a backup"};
}

} // namespace troupe::storage
