#include "bench/store_parts.hpp"
#include "core/records.hpp"
#include "storage/file_journal.hpp"

#include <future>

/// Rows of the way back: the journal beyond the snapshot, read again and taken in.
namespace troupe::bench {

namespace {

namespace fs = std::filesystem;

struct replayed {
  double open, index, apply, memory, cpu;
};

/// Makes successive batches of one shard as a node makes them of no-op jobs.
class batch_maker {
public:
  batch_maker(core::shard_id shard, bool pending) : shard_(shard), pending_(pending) {}

  core::bytes next(std::size_t bytes) {
    core::bytes records;
    while (records.size() < bytes)
      add_job(records);
    return records;
  }
  std::uint64_t records() const noexcept { return records_; }

private:
  void add_job(core::bytes& to) {
    ++jobs_;
    auto time = static_cast<std::uint64_t>(at_.time_since_epoch().count() + jobs_ / 20);
    auto slot = static_cast<std::uint64_t>(core::index_of(shard_)) * slots / 4;
    job_id id{time << 16 | 7 << 12 | slot, std::uint64_t{2} << 62 | jobs_ << 40 | jobs_};
    core::job_added added;
    added.queue = "queue10";
    put(to, id, added);
    if (pending_)
      return;
    put(to, id, core::job_moved{core::job_state::pending, core::job_state::running, {}, {}});
    core::vertices_ended ended;
    ended.ends.resize(1);
    put(to, id, ended);
    put(to, id, core::job_moved{core::job_state::running, core::job_state::completed, {}, {}});
  }

  void put(core::bytes& to, job_id id, core::record_body body) {
    core::encode({{}, shard_, id, at_, std::move(body)}, to);
    ++records_;
  }

  core::shard_id shard_;
  bool pending_;
  core::shard_time at_{std::chrono::milliseconds{1'800'000'000'000}};
  std::uint64_t jobs_ = 0, records_ = 0;
};

void append(storage::journal& journal, storage::batch next) {
  std::promise<status> answer;
  journal.append(std::move(next), [&](status x) { answer.set_value(std::move(x)); });
  must(answer.get_future().get());
}

/// A store of four shards with `bytes` of records in its journal, none of them in its snapshot.
/// Returns how many records.
std::uint64_t make_lag(const fs::path& data, std::size_t bytes, bool pending) {
  constexpr std::size_t batch_bytes = 64 << 10;
  runtime_config config;
  config.data_dir = data;
  auto store = must(actors::open_store(config));
  std::vector<batch_maker> makers;
  for (auto& shard : store.shards)
    makers.emplace_back(shard.view->shard(), pending);
  std::uint64_t records = 0;
  for (std::size_t i = 0, written = 0; written < bytes; ++i) {
    auto k = i % makers.size();
    auto& found = store.shards[k].found;
    auto batch = makers[k].next(batch_bytes);
    written += batch.size();
    append(*store.journal, {core::shard_id(static_cast<std::uint16_t>(k)),
                            found.epoch,
                            ++found.head,
                            {},
                            std::move(batch)});
  }
  for (auto& x : makers)
    records += x.records();
  store.close();
  return records;
}

replayed replay(const fs::path& data) {
  replayed told{};
  runtime_config config;
  config.data_dir = data;
  auto before = memory_bytes("RssAnon");
  auto begin = clock::now();
  auto cpu = cpu_seconds();
  auto store = must(actors::open_store(config));
  told.open = seconds_since(begin);
  begin = clock::now();
  for (auto& shard : store.shards)
    must(shard.view->newest_id());
  told.index = seconds_since(begin);
  told.cpu = cpu_seconds() - cpu;
  told.memory = memory_bytes("RssAnon") - before;
  begin = clock::now();
  while (must(store.writer->step())) {
  }
  told.apply = seconds_since(begin);
  store.close();
  return told;
}

void measure(const store_options& o, std::size_t mebibytes, bool pending) {
  std::vector<double> total, open, rate, records, memory, apply, cpu;
  auto size = static_cast<double>(mebibytes);
  for (std::size_t i = 0; i < o.runs; ++i) {
    auto data = o.directory / "replay";
    fs::remove_all(data);
    shared<std::uint64_t> made;
    shared<replayed> told;
    in_child([&] { *made = make_lag(data, mebibytes << 20, pending); });
    in_child([&] { *told = replay(data); });
    auto seconds = told->open + told->index;
    total.push_back(seconds);
    open.push_back(told->open);
    rate.push_back(size / seconds);
    records.push_back(static_cast<double>(*made) / seconds / 1e3);
    memory.push_back(told->memory / (1 << 20) / size);
    apply.push_back(size / told->apply);
    cpu.push_back(told->cpu);
    fs::remove_all(data);
  }
  print_row("replay of " + std::to_string(mebibytes) + " MiB of "
                + (pending ? "new jobs" : "no-op jobs"),
            total, "s", "at most 2 at the hard limit");
  print_row("  reading the journal alone", open, "s", "");
  print_row("  time of one processor", cpu, "s", "");
  print_row("  rate", rate, "MiB/s", "");
  print_row("  records", records, "1000/s", "");
  print_row("  memory a byte of journal", memory, "x", "");
  print_row("  apply to the snapshot", apply, "MiB/s", "");
}

} // namespace

void bench_replay(const store_options& o) {
  for (auto mebibytes : {std::size_t{16}, limits::snapshot_lag_hard_bytes >> 20})
    for (auto pending : {false, true})
      measure(o, mebibytes, pending);
}

} // namespace troupe::bench
