#include "actors/engine.hpp"

namespace troupe::actors {

namespace {

/// 0 for what is not there: a file can go at any time.
std::uint64_t size_of(const std::filesystem::path& file) {
  std::error_code gone;
  auto size = std::filesystem::file_size(file, gone);
  return gone ? 0 : size;
}

void add_guard(const storage::disk_state& from, store_stats& to) {
  to.new_jobs_have_space = from.admits;
  to.disk_bytes = from.total_bytes;
  to.disk_free_bytes = from.free_bytes;
  to.disk_needed_bytes = from.needed_bytes();
  to.disk_reserve_bytes = from.reserve_bytes;
}

void add_sweeps(const storage::sweep_state& from, store_stats& to) {
  to.sweeps = from.sweeps;
  to.swept_blobs = from.blobs;
  to.swept_bytes = from.bytes;
}

void add_scrub(const storage::scrub_state& from, store_stats& to) {
  to.scrub_passes = from.passes;
  to.scrub_bytes = from.bytes;
  to.scrub_findings = from.findings;
}

} // namespace

std::vector<limit_use> engine::runners_use() const {
  std::vector<limit_use> all;
  for (auto& [kind, runner] : env_->runners)
    if (auto use = runner->use())
      all.push_back({kind, use->running, use->most});
  return all;
}

store_stats engine::stats() const {
  store_stats x;
  if (store_.writer) {
    auto lag = store_.writer->lag();
    x.lag_bytes = lag.bytes;
    x.lag_soft_bytes = lag.soft;
    x.lag_hard_bytes = lag.hard;
    x.lag_records = lag.records;
    x.snapshot_is_written = bool(store_.writer->state());
  }
  if (store_.file) {
    auto readers = store_.file->readers();
    x.snapshot_readers = readers.open + readers.others;
    x.snapshot_oldest_read = std::chrono::floor<std::chrono::milliseconds>(readers.oldest);
  }
  x.waiting_blob_bytes = env_->blob_bytes_waiting();
  for (auto& shard : *shards_)
    x.gathered_bytes += shard->log->gathered_bytes();
  if (store_.journal)
    x.journal_bytes = store_.journal->use().bytes;
  if (store_.directory)
    x.snapshot_bytes = size_of(store_.directory->path() / "snapshot" / "data.mdb");
  if (store_.guard)
    add_guard(store_.guard->state(), x);
  if (sweeper_)
    add_sweeps(sweeper_->state(), x);
  if (scrubber_)
    add_scrub(scrubber_->state(), x);
  return x;
}

} // namespace troupe::actors
