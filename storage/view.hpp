#pragma once

#include "storage/lag_gauge.hpp"
#include "storage/overlay.hpp"
#include "storage/snapshot_read.hpp"
#include "troupe/limits.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

namespace troupe::storage {

/// Which jobs of a shard a page holds: those that fit all that is set. Newest first.
struct job_query {
  std::optional<namespace_id> ns;
  std::optional<core::job_state> state;
  bool unfinished = false; ///< Only those that have not ended.
  std::optional<std::string> queue;
  std::map<std::string, std::string> labels;
  std::optional<job_id> before;                 ///< Only older ids: the page's cursor.
  std::optional<job_id> from;                   ///< No older ids than this.
  std::optional<core::shard_time> ended_before; ///< Only those that had ended before then.
  std::function<bool(const job_row&)> matching; ///< What else must hold; may be unset.
  /// Told of a job whose row is damaged, then the list goes on; unset: the list ends there.
  std::function<void(job_id, const error&)> damaged;
  std::size_t limit = 100;                      ///< At most `limits::rows_page_max`.
  std::size_t scan_max = limits::list_scan_max; ///< Rows that the page looks at.
};

struct job_page {
  std::vector<job_row> rows;
  /// Where the next page begins, as `before`; nothing if this was the last one.
  std::optional<job_id> next;
  /// It ended before the limit, as `scan_max` rows were looked at or time was up: more may follow.
  bool scan_limited = false;
};

/// The job that a request's key stands for.
struct found_request {
  job_id id;
  core::bytes digest;
};

/// A row of the embedder.
struct own_row {
  std::string key;
  core::bytes content;
  bool operator==(const own_row&) const = default;
};

/// How long ended jobs of one queue and state are kept; zero: for ever, any size.
struct retention_rule {
  core::duration age{};
  std::uint64_t bytes = 0;
};
using retention_rules =
    std::function<retention_rule(namespace_id, const std::string& queue, core::job_state)>;

/// A job that is not to be kept any longer.
struct expired_job {
  job_id id;
  namespace_id ns{};
  bool for_bytes = false; ///< Its queue holds too much; else its time is over.
  auto operator<=>(const expired_job&) const = default;
};

/// What is durable of one shard: the one place that every read goes to. It is the snapshot at some
/// position and the overlay of every durable batch behind it; what a read tells stands at one
/// position, not before the newest batch that `add` took before the read began. Thread-safe; reads
/// may block on the disk. Errors of all reads: `journal_corrupt`, `io_failed`, and `overloaded` if
/// too many read at once.
class view {
public:
  /// Finds a compiled graph; null if it is not there.
  using graph_source =
      std::function<std::shared_ptr<const core::graph>(namespace_id, const graph_id&)>;

  using clock = std::chrono::steady_clock;
  using time_source = std::function<clock::time_point()>;

  /// Without tables the view keeps all batches. `kept` is what the tables hold of the shard. `now`
  /// tells how long a read has been going on: none goes on beyond `limits::read_transaction_max`.
  explicit view(core::shard_id shard, std::shared_ptr<table_store> tables = {},
                const shard_meta& kept = {}, std::shared_ptr<lag_gauge> lag = {},
                time_source now = &clock::now);

  /// Takes the shard's next durable batch. Never blocks for long.
  void add(batch next);

  /// Errors: `no_such_job`.
  result<job_row> find(job_id id);

  /// A page of jobs.
  result<job_page> list(const job_query& query);

  /// Rows of jobs that have not ended, by id, behind `after`; fewer than `limit` at the end.
  result<std::vector<job_row>> live(std::optional<job_id> after, std::size_t limit);

  /// The job as its durable records tell it. Errors: `no_such_job`, `no_such_graph`.
  result<core::job> load(job_id id, const graph_source& graphs);

  /// A job on its way through its records; starts empty.
  struct replay_state {
    std::optional<core::job> job;
    std::size_t next = 0; ///< The record to apply next.
  };
  /// Goes on from `from`: applies the job's durable records one by one and shows each, just
  /// applied, to `each`, until that says false. Errors: `no_such_job`, `no_such_graph`.
  using step = std::function<bool(const core::job&, const core::record&, const core::changes&)>;
  status replay(job_id id, const graph_source& graphs, replay_state& from, const step& each);

  /// The shard's links to others.
  result<core::link_state> links();

  /// The job that was made for this key and still stands for it at `now`.
  result<std::optional<found_request>> find_request(const keys::name_in& name,
                                                    core::shard_time now);

  /// The content of an embedder's row; nothing if there is none.
  result<std::optional<core::bytes>> row(const keys::name_in& name);

  /// Rows whose keys begin with `prefix`, in order, behind the key `after` if that is not empty;
  /// at most `limit` and `limits::rows_page_max`.
  result<std::vector<own_row>> rows(const keys::scope& in, const std::string& prefix,
                                    const std::string& after, std::size_t limit);

  /// The queues that may have rows.
  result<std::vector<keys::scope>> row_scopes();

  /// At most `limit` ended jobs that are not to be kept, the oldest of each queue first.
  result<std::vector<expired_job>> expired(const retention_rules& rules, core::shard_time now,
                                           std::size_t limit);

  /// Jobs and bytes of each queue and state; none is zero.
  result<std::map<count_key, job_count>> totals();

  /// Names every graph and blob that a job or a message needs, some of them more than once. What
  /// became needed after it began may be missing.
  using blob_sink = std::function<void(namespace_id, const sha256_digest&)>;
  status each_blob(const blob_sink& sink);
  /// The same for the messages in the outbox alone.
  status each_message_blob(const blob_sink& sink);

  core::shard_id shard() const noexcept { return shard_; }
  /// The newest durable batch, its time, and the newest id by time.
  core::position durable() const;
  core::shard_time time() const;
  result<job_id> newest_id();
  /// The newest batch that was dropped: the tables hold it.
  core::position applied() const;
  /// Bytes of the overlay.
  std::uint64_t lag_bytes() const noexcept { return lag_bytes_; }

  // For who writes the snapshot.

  /// The oldest batches of the overlay: at most `bytes`, but at least one, if there is any.
  std::vector<durable_batch> window(std::size_t bytes);
  /// Forgets batches that the tables hold by now.
  void drop(core::position upto);
  /// What was read from the tables is not needed again soon.
  void forget_pages();

  /// Waits for the reads that go on, and gives the tables back; every later read answers
  /// `not_ready`.
  void close();

  class reading; ///< Inside storage only.

private:
  class merged_walk;
  struct changes;

  result<reading> begin();
  status index();
  status newly_arrived();
  result<std::vector<core::record>> records_of(job_id id, std::size_t from);
  static result<changes> changes_in(const reading& in, bool with_ends);
  status each_table_blob(table of, const blob_sink& sink);

  const core::shard_id shard_;
  std::shared_ptr<table_store> tables_; ///< Null once it is closed.
  const std::shared_ptr<lag_gauge> lag_;
  const time_source now_;
  std::atomic<std::uint64_t> lag_bytes_{0};

  mutable std::shared_mutex indexed_mutex_; ///< Taken before the other one.
  overlay indexed_;
  status damage_; ///< Why nothing can be indexed any more.
  job_id newest_;

  mutable std::mutex arrived_mutex_;
  std::deque<durable_batch> arrived_; ///< Not indexed yet.
  core::position applied_, durable_;
  core::shard_time time_;
};

} // namespace troupe::storage
