#pragma once

#include "storage/view.hpp"

namespace troupe::storage {

/// One moment of a view: a transaction and what the overlay has behind it. It keeps the overlay as
/// it is, so it lives briefly. All errors are those of `snapshot_read`.
class view::reading {
public:
  reading(std::shared_lock<std::shared_mutex> lock, std::unique_ptr<table_reader> tables,
          const overlay& behind, const shard_meta& meta, core::shard_id shard,
          const time_source& now)
      : lock_(std::move(lock)),
        tables_(std::move(tables)),
        behind_(&behind),
        k_(meta.applied),
        shard_(shard),
        now_(&now),
        since_(now()) {}

  snapshot_read snapshot() const { return {*tables_, shard_}; }
  table_reader& tables() const { return *tables_; }
  const overlay& behind() const { return *behind_; }
  core::position k() const { return k_; }

  /// Whether a walk that has come to its row number `rows` is to end here: it holds back the space
  /// of what is deleted. It looks at the clock now and then.
  bool is_over(std::size_t rows) const {
    return rows % rows_between_looks == 0 && (*now_)() - since_ >= limits::read_transaction_max;
  }

  /// What the overlay has of a job behind the snapshot, or null.
  const overlay::part* part(job_id id) const { return behind_->find(id, k_); }

  /// The row as it stands in the snapshot.
  result<std::optional<job_row>> before(job_id id) const { return snapshot().row(id); }

  /// The newest row, also of a job that is deleted while the overlay still tells of it.
  result<std::optional<job_row>> newest(job_id id) const;

  /// Calls `each` with every job of which the overlay tells.
  status each_changed(const std::function<status(job_id, const overlay::part&)>& each) const;

private:
  static constexpr std::size_t rows_between_looks = 64;

  std::shared_lock<std::shared_mutex> lock_;
  std::unique_ptr<table_reader> tables_;
  const overlay* behind_;
  core::position k_;
  core::shard_id shard_;
  const time_source* now_;
  clock::time_point since_;
};

/// Walks the jobs of some indexes and all that the overlay tells of, in one order of ids, each
/// once.
class view::merged_walk {
public:
  /// `past_damage`: as of `job_walk`; then `row` tells of the damage.
  merged_walk(const reading& in, bool newest_first, bool past_damage = false)
      : in_(&in), newest_first_(newest_first), past_damage_(past_damage) {}

  void add(table index, core::bytes prefix) {
    walks_.emplace_back(in_->tables(), index, std::move(prefix), newest_first_, past_damage_);
  }

  /// Begins behind `after`, or with the first of all.
  status start(std::optional<job_id> after);
  /// The next job; nothing at the end.
  result<std::optional<job_id>> next();
  /// The row of the job that `next` found last; nothing if it is not there.
  result<std::optional<job_row>> row() const;

private:
  using jobs = std::map<job_id, overlay::part>;

  bool earlier(job_id a, job_id b) const { return newest_first_ ? a > b : a < b; }
  std::optional<job_id> overlay_id();
  void step_overlay();
  status step_tables();

  const reading* in_;
  bool newest_first_, past_damage_;
  std::vector<job_walk> walks_;
  jobs::const_iterator next_, end_;
  jobs::const_reverse_iterator newest_next_, newest_end_;
  std::optional<job_id> current_;
};

} // namespace troupe::storage
