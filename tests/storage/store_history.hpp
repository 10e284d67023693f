#pragma once

#include "core/decide.hpp"
#include "core/place.hpp"
#include "storage/backup_parts.hpp"
#include "storage/blob_store.hpp"
#include "storage/snapshot.hpp"
#include "storage/verify.hpp"
#include "tests/storage/storage_fixture.hpp"
#include "tests/support/graphs.hpp"

#include <algorithm>
#include <fcntl.h>
#include <random>

namespace troupe::test {

/// A data directory with random jobs, all of whose records were decided as the engine does it.
/// Graphs are blobs of any text; `graphs` reads them.
class store_history {
public:
  store_history(std::filesystem::path path, std::uint64_t seed, std::uint16_t shards = 2)
      : path_(std::move(path)), random_(seed), bits_([this] { return random_(); }) {
    storage::data_dir_options options;
    options.shards = shards;
    auto opened = storage::data_dir::open(path_, storage::open_mode::write, options);
    REQUIRE(opened);
    directory_.emplace(std::move(*opened));
    blobs_ = std::move(*storage::open_blob_store(*directory_));
    journal_ = std::move(*storage::open_file_journal(*directory_, tiny));
    tables_ = std::move(*storage::open_lmdb_tables(*directory_));
    for (std::uint16_t i = 0; i < shards; ++i) {
      at_.push_back(*journal_->open(shard_id{i}));
      windows_.push_back({shard_id{i}, {}});
    }
    for (auto size : {1, 3, 5})
      plans_.push_back(add_graph("a graph of " + std::to_string(size), tests::chain(size)));
  }

  /// Compiles the graphs that this store has.
  storage::graph_reader graphs() const {
    return [plans = plans_](const graph_id& id,
                            core::byte_view) -> result<std::shared_ptr<const core::graph>> {
      for (auto& plan : plans)
        if (plan->id == id)
          return plan;
      return error{ec::journal_corrupt, "this is no graph of the test"};
    };
  }

  /// So many steps of jobs, old and new.
  void run(int steps) {
    for (; steps > 0; --steps) {
      now_ += core::duration{static_cast<core::duration::rep>(below(2'000))};
      if (below(3) == 0 || jobs_.empty())
        add_job();
      else
        step(jobs_[below(jobs_.size())]);
      if (below(10) == 0)
        write_row();
      std::erase_if(jobs_, [](auto& x) { return !x; });
    }
    for (std::uint16_t i = 0; i < shards(); ++i)
      flush(shard_id{i});
  }

  graph_id any_graph() const { return plans_.front()->id; }
  bool is_graph(const storage::sha256_digest& name) const {
    return std::ranges::any_of(plans_, [&](auto& plan) { return plan->id.sha256 == name; });
  }

  /// Makes all that is in the journal part of the tables, as the engine does it.
  void apply_all() {
    storage::apply_options options;
    options.seen.newest_segment = journal_->use().newest_segment;
    REQUIRE(storage::apply_windows(*tables_, windows_, options).code() == ec::none);
    for (auto& window : windows_)
      window.batches.clear();
  }

  /// The files of the journal, but for the oldest.
  std::vector<std::filesystem::path> newer_segments() const {
    std::vector<std::filesystem::path> all;
    for (auto& entry : std::filesystem::directory_iterator{path_ / "journal"})
      if (is_segment(entry.path()))
        all.push_back(entry.path());
    std::ranges::sort(all);
    REQUIRE(all.size() > 1);
    all.erase(all.begin());
    return all;
  }

  void close() {
    tables_.reset();
    journal_.reset();
    blobs_.reset();
    directory_.reset();
  }

  storage::table_store& tables() { return *tables_; }
  const std::filesystem::path& path() const { return path_; }
  std::uint16_t shards() const { return static_cast<std::uint16_t>(at_.size()); }

private:
  using job_ptr = std::shared_ptr<core::job>;

  std::size_t below(std::size_t n) { return random_() % n; }

  std::shared_ptr<const core::graph> add_graph(const std::string& text, const graph_spec& spec) {
    auto name = blobs_->put({}, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    REQUIRE(name);
    return core::compile(spec, graph_id{*name});
  }

  /// A value in the record, or the name of a blob.
  core::payload random_payload() {
    value x = "output " + std::to_string(below(1000));
    if (below(4) != 0)
      return core::payload{x};
    core::bytes encoded;
    core::encode(x, encoded);
    auto name = blobs_->put({}, encoded);
    REQUIRE(name);
    return core::payload{core::blob_ref{*name, encoded.size()}};
  }

  void add_job() {
    core::job_added added;
    added.queue = "queue" + std::to_string(below(3));
    auto plan = plans_[below(plans_.size())];
    added.graph = plan->id;
    added.input = random_payload();
    if (below(2) == 0)
      added.labels["team"] = below(2) == 0 ? "red" : std::string(300, 'x');
    if (below(3) == 0)
      added.idempotency_key = "request " + std::to_string(below(20));
    if (!added.idempotency_key.empty())
      added.request_digest = core::bytes(32, static_cast<std::uint8_t>(below(256)));
    if (below(4) == 0)
      added.retention = std::chrono::hours{5};
    auto slot = core::place({}, added.queue);
    core::record r{{}, core::shard_of(slot, shards()), ids_.next(slot, now_, bits_), now_, added};
    auto job = std::make_shared<core::job>(core::job_of(r));
    job->plan = plan;
    commit(job, {r});
    jobs_.push_back(job);
  }

  void step(job_ptr& job) {
    using enum core::job_request;
    constexpr core::job_request requests[] = {start,  start,   start,  start, pause,
                                              resume, requeue, cancel, stop};
    if (terminal(job->state))
      return remove(job);
    if (job->run && below(4) != 0)
      return work(job);
    auto on = requests[below(std::size(requests))];
    if (auto decided = core::decide_move(*job, on, "as the test wants", now_))
      transact(job, *decided);
  }

  void work(job_ptr& job) {
    for (core::vertex_index v = 0; v < job->plan->size(); ++v) {
      auto state = job->run->states[v];
      if (state == vertex_state::ready && job->state == job_state::running && below(2) == 0) {
        std::vector<core::attempt_result> ends{
            {v, core::attempt_end::succeeded, random_payload(), {}}};
        return transact(job, core::decide_vertices_ended(*job, std::move(ends), core::duration{1},
                                                         now_, bits_));
      }
      if (state == vertex_state::ready)
        if (auto decided = core::decide_start(*job, v, now_, bits_))
          return transact(job, *decided);
      if (state == vertex_state::running)
        return end(job, v);
    }
  }

  void end(job_ptr& job, core::vertex_index v) {
    auto proof = *job->run->details[v].current;
    if (below(3) == 0)
      if (auto said = core::decide_said(*job, v, proof, "a word\n", now_))
        transact(job, *said);
    auto good = below(5) != 0;
    core::attempt_result r{v, good ? core::attempt_end::succeeded : core::attempt_end::failed,
                           good ? random_payload() : core::payload{},
                           good ? problem{} : problem{"broken", "", "it broke"}};
    if (auto decided = core::decide_attempt_ended(*job, proof, std::move(r), now_, bits_))
      transact(job, *decided);
  }

  void remove(job_ptr& job) {
    if (below(3) != 0)
      return;
    write(job->shard, {core::record_for(*job, now_, core::job_deleted{"retention"})});
    job.reset();
  }

  void transact(const job_ptr& job, core::record_group decided) {
    auto group = core::transact(*job, std::move(decided), now_, [](auto&, auto&) {});
    commit(job, group);
  }

  void commit(const job_ptr& job, const core::record_group& group) {
    if (!group.empty())
      write(job->shard, group);
  }

  void write_row() {
    auto queue = "queue" + std::to_string(below(3));
    auto key = "row " + std::to_string(below(10));
    core::record r{{}, core::shard_of(core::place({}, queue), shards()), {}, now_, {}};
    if (below(4) == 0)
      r.body = core::row_erased{queue, key};
    else
      r.body = core::row_written{queue, key, {1, 2, 3, static_cast<std::uint8_t>(below(256))}};
    write(r.shard, {r});
  }

  void write(shard_id shard, const core::record_group& group) {
    auto& gathered = gathered_[shard];
    for (auto& r : group)
      core::encode(r, gathered);
    if (gathered.size() > 1000)
      flush(shard);
  }

  void flush(shard_id shard) {
    auto& gathered = gathered_[shard];
    if (gathered.empty())
      return;
    auto& at = at_[core::index_of(shard)];
    batch next{shard, at.epoch, ++at.head, now_, std::exchange(gathered, {})};
    windows_[core::index_of(shard)].batches.push_back(
        {next.epoch, next.at, next.time, std::make_shared<const core::bytes>(next.records)});
    REQUIRE(append(*journal_, std::move(next)).get().code() == ec::none);
  }

  std::filesystem::path path_;
  std::mt19937_64 random_;
  core::random_bits bits_;
  core::shard_time now_{std::chrono::seconds{1'800'000'000}};
  core::id_source ids_;
  std::optional<storage::data_dir> directory_;
  std::unique_ptr<storage::blob_store> blobs_;
  std::unique_ptr<storage::journal> journal_;
  std::unique_ptr<storage::lmdb_tables> tables_;
  std::vector<storage::opened> at_;
  std::vector<storage::shard_window> windows_;
  std::map<shard_id, core::bytes> gathered_; ///< For the next batch of each shard.
  std::vector<std::shared_ptr<const core::graph>> plans_;
  std::vector<job_ptr> jobs_;
};

/// Changes one byte of a value wherever it lies in the snapshot's file.
inline void damage(const std::filesystem::path& data, const core::bytes& value) {
  auto name = data / "snapshot" / "data.mdb";
  auto content = *storage::read_file(storage::system_files(), name);
  int found = 0;
  for (auto at = content->begin();; at += 1, ++found) {
    at = std::search(at, content->end(), value.begin(), value.end());
    if (at == content->end())
      break;
    *(at + static_cast<std::ptrdiff_t>(value.size() / 2)) ^= 1;
  }
  REQUIRE(found > 0);
  auto file = storage::file::open(storage::system_files(), name, O_WRONLY);
  REQUIRE(file);
  REQUIRE(file->write(*content, 0));
}

/// Every row of every table but the store's own, as text.
inline std::map<std::string, core::bytes> content_of(const std::filesystem::path& path) {
  auto directory = storage::data_dir::open(path, storage::open_mode::read);
  REQUIRE(directory);
  auto tables = storage::open_lmdb_tables(*directory);
  REQUIRE(tables);
  auto reader = (*tables)->read();
  REQUIRE(reader);
  std::map<std::string, core::bytes> all;
  for (std::size_t i = 0; i < storage::tables; ++i) {
    auto cursor = (*reader)->cursor(storage::table(i));
    for (auto there = cursor->seek({}); there && *there; there = cursor->next())
      all[to_string(storage::table(i)) + std::string(cursor->key().begin(), cursor->key().end())] =
          {cursor->value().begin(), cursor->value().end()};
  }
  return all;
}

/// Findings as text, for reports of tests.
inline std::string text_of(const storage::verify_report& x) {
  std::string text;
  for (auto& f : x.found.kept())
    text += std::string{to_string(f.kind)} + ": " + f.where + ": " + f.what + "\n";
  for (auto& s : x.skipped)
    text += "skipped " + s + "\n";
  return text;
}

inline bool has(const storage::verify_report& x, storage::finding_kind kind) {
  return std::ranges::any_of(x.found.kept(), [=](auto& f) { return f.kind == kind; });
}

} // namespace troupe::test
