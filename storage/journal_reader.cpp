#include "storage/file_journal.hpp"
#include "storage/journal_scan.hpp"

#include <fcntl.h>

namespace troupe::storage {

struct journal_reader::state {
  journal_place place;
  journal_state seen;
};

namespace {

/// Syncs what lies between two states: the writer may not have come to that yet.
status make_durable(const journal_place& place, const journal_state& before,
                    const journal_state& now) {
  for (auto& [number, summary] : now.segments) {
    if (number < before.end.segment || now.end == before.end)
      continue;
    auto segment = segment_view::open(*place.files, place.directory, number, O_RDONLY);
    if (!segment) {
      auto start = read_start(place);
      if (start && number < start->first)
        continue; // Trimmed meanwhile: durable elsewhere.
      return segment.error();
    }
    if (auto done = segment->handle().sync_data(); !done)
      return done;
  }
  return {};
}

} // namespace

journal_reader::journal_reader(std::unique_ptr<state> state) : state_(std::move(state)) {}
journal_reader::journal_reader(journal_reader&&) noexcept = default;
journal_reader::~journal_reader() = default;

status journal_reader::refresh() {
  auto now = state_->seen;
  if (auto scanned = scan(state_->place, now); !scanned)
    return scanned;
  if (auto synced = make_durable(state_->place, state_->seen, now); !synced)
    return synced;
  state_->seen = std::move(now);
  return {};
}

status journal_reader::reach(std::uint64_t segment) {
  if (state_->seen.end.segment < segment)
    if (auto fresh = refresh(); !fresh)
      return fresh;
  return reaches(state_->place, state_->seen, segment);
}

std::map<core::shard_id, core::position> journal_reader::heads() const {
  std::map<core::shard_id, core::position> heads;
  for (auto& [shard, found] : state_->seen.shards)
    heads[shard] = found.head;
  return heads;
}

std::map<core::shard_id, core::position> journal_reader::trimmed() const {
  return state_->seen.trimmed;
}

status journal_reader::read(core::shard_id shard, core::position from,
                            const journal::reader& each) const {
  return read_batches(state_->place, state_->seen, {{shard, from}}, each);
}

result<journal_reader> open_journal_reader(const data_dir& directory) {
  auto state = std::make_unique<journal_reader::state>();
  state->place = {&directory.files(), directory.journal_path(), directory.about().owner,
                  directory.about().shards};
  journal_reader reader{std::move(state)};
  if (auto done = reader.refresh(); !done)
    return done.error();
  return reader;
}

} // namespace troupe::storage
