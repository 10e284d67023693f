#pragma once

#include "core/links.hpp"
#include "storage/journal.hpp"
#include "storage/overlay.hpp"
#include "storage/snapshot_keys.hpp"
#include "storage/tables.hpp"

namespace troupe::storage {

/// How far the snapshot has come with one shard.
struct shard_meta {
  core::position applied = 0; ///< Every batch up to this is in the tables.
  core::epoch epoch{};        ///< Of that batch.
  core::shard_time time{};    ///< Of that batch.
  std::uint32_t level = 0;    ///< Feature level that the records up to there may need.
  job_id newest;              ///< By time and counter, of all jobs ever added.
  bool operator==(const shard_meta&) const = default;
};

/// The key of a request, from the first job with it until some time after that job's end.
struct request_row {
  job_id id;
  core::shard_time ended{}; ///< Zero: not yet.
  core::bytes digest;       ///< SHA-256 of the request.
  bool operator==(const request_row&) const = default;
};

/// When the key of a job that has ended is free again.
core::shard_time expires(const request_row& x) noexcept;

/// Jobs and the bytes of their records.
struct job_count {
  std::uint64_t jobs = 0, bytes = 0;
  bool operator==(const job_count&) const = default;
};

/// The jobs of one queue in one state.
struct count_key {
  keys::scope in;
  core::job_state state{};
  bool own = false; ///< With a retention of their own.
  auto operator<=>(const count_key&) const = default;
};

/// How many jobs were made from a graph, and when the first one was.
struct graph_use {
  core::shard_time first{};
  std::uint64_t jobs = 0;
};

core::bytes encode(const shard_meta& x);
core::bytes encode(const request_row& x);
core::bytes encode(const job_count& x);
core::bytes encode(const graph_use& x);
core::bytes encode(const core::shard_link& x); ///< Without what is unacknowledged.

/// A message as it lies in the outbox: the namespace of its record, its body.
core::bytes outbox_row(namespace_id ns, const core::bytes& body);
namespace_id space_of_outbox_row(core::byte_view row);
core::bytes body_of_outbox_row(core::byte_view row);

/// One shard's rows in a transaction, which must outlive this. All errors are those of
/// `table_reader`, and `journal_corrupt` for a row that cannot be read.
class snapshot_read {
public:
  snapshot_read(table_reader& from, core::shard_id shard) : from_(&from), shard_(shard) {}

  result<shard_meta> meta() const;
  result<std::optional<job_row>> row(job_id id) const;

  /// Hands on the encoded records of a job from number `from` on (the first is 0), until `each`
  /// says false.
  status records(job_id id, std::uint64_t from,
                 const std::function<bool(core::byte_view)>& each) const;

  result<core::link_state> links() const;
  result<std::optional<request_row>> request(const keys::name_in& name) const;
  result<std::optional<core::bytes>> own_row(const keys::name_in& name) const;
  result<job_count> count(const count_key& of) const;
  result<std::optional<graph_use>> graph(namespace_id ns, const graph_id& id) const;
  result<std::map<count_key, job_count>> counts() const;

  table_reader& tables() const noexcept { return *from_; }
  core::shard_id shard() const noexcept { return shard_; }

private:
  table_reader* from_;
  core::shard_id shard_;
};

/// Hands on the rows of a table whose keys begin with `prefix`, from `start` on, until `each` says
/// false. `past_damage`: rows with a wrong checksum, too, without their values.
status each_row(table_reader& from, table in, core::byte_view prefix, core::byte_view start,
                const std::function<result<bool>(core::byte_view key, core::byte_view value)>& each,
                bool past_damage = false);

/// What the writer of these tables knew of its journal. Errors: as above.
result<journal_seen> read_journal_seen(table_reader& from);
core::bytes encode(const journal_seen& x);

/// The newest journal segment that the writer of these tables knew. Errors: as above.
result<std::uint64_t> newest_segment(table_store& tables);

/// Walks the jobs of an index, a table and the part of the keys before the id.
class job_walk {
public:
  /// `past_damage`: rows with a wrong checksum are walked, too; their ids stand in their keys.
  job_walk(table_reader& from, table in, core::bytes prefix, bool newest_first,
           bool past_damage = false);

  /// To the first job behind `after`, or the first of all.
  status start(std::optional<job_id> after);
  status step();

  /// Nothing at the end.
  const std::optional<job_id>& id() const noexcept { return id_; }
  /// What the index holds for it; nothing if that is damaged. Valid until the next step.
  core::byte_view value() const { return cursor_->value(); }
  table of() const noexcept { return in_; }

private:
  status take(const result<bool>& there);

  std::unique_ptr<table_cursor> cursor_;
  table in_;
  core::bytes prefix_;
  bool newest_first_, past_damage_;
  std::optional<job_id> id_;
};

} // namespace troupe::storage
