#pragma once

#include "troupe/blob.hpp"
#include "troupe/error.hpp"
#include "troupe/event.hpp"
#include "troupe/export.hpp"
#include "troupe/function.hpp"
#include "troupe/graph_spec.hpp"
#include "troupe/job_spec.hpp"
#include "troupe/limits.hpp"
#include "troupe/observer.hpp"
#include "troupe/problem.hpp"
#include "troupe/stats.hpp"
#include "troupe/transaction.hpp"
#include "troupe/work.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>

namespace troupe {

/// How long jobs are kept once they have ended. Whatever is reached first deletes: the oldest jobs
/// go, with their results and events.
struct retention_limit {
  std::chrono::milliseconds age{}; ///< From the end on; zero: for ever.
  /// Of all their records, in each shard for itself and without their blobs; zero: any number.
  std::uint64_t bytes = 0;
};

/// The rules for the jobs of one queue, by how they ended. Failed jobs are what people look at and
/// repeat: they are kept longer. `job_spec::retention` goes before all of these.
struct retention_policy {
  retention_limit completed{limits::retention_default, 0};
  retention_limit failed{limits::retention_failed, 0};
  retention_limit cancelled{limits::retention_default, 0};
  retention_limit stopped{limits::retention_default, 0};
};

/// How a runtime is opened. What is left out has the value that stands here.
struct runtime_config {
  std::filesystem::path data_dir{};  ///< Created if missing; one runtime per directory.
  bool memory = false;               ///< No durability, nothing on disk; `data_dir` is ignored.
  std::uint16_t shards = 4;          ///< Fixed when the directory is created.
  std::string node{};                ///< If set: the id that the directory must belong to.
  unsigned threads = 0;              ///< For actors; 0: one for each core, at least 2.
  unsigned function_threads = 0;     ///< For impure functions; 0: one for each core, at least 2.
  unsigned exec_parallel_max = 64;   ///< Processes of kind `exec` at once.
  unsigned jq_helpers_max = 0;       ///< Processes of kind `jq`; 0: one for each core, at most 4.
  std::filesystem::path jq_helper{}; ///< The program `troupe-jq`; empty: found beside this one.
  std::size_t running_jobs_max = limits::running_jobs_max; ///< Per shard.
  std::chrono::milliseconds cleanup_grace = limits::cleanup_grace;
  std::chrono::milliseconds cancel_grace = limits::cancel_grace;
  retention_policy retention{}; ///< Of every queue that has none of its own,
  std::map<std::string, retention_policy, std::less<>> queue_retention{}; ///< in all namespaces.
  /// New jobs are refused with `no_space` while less is free on the disk of `data_dir`, beside a
  /// reserve; 0: `limits::min_free_bytes_max`, or one `limits::min_free_part`-th of a smaller disk.
  std::uint64_t min_free_bytes = 0;
  /// How long what accepted jobs record waits for space on a full disk; then the runtime stops.
  std::chrono::milliseconds space_wait = std::chrono::milliseconds::max();
  bool hold_recovered = false; ///< Unfinished jobs wait for `release`.
  /// Told of what only a defect explains: an actor that failed and is started again. Any thread.
  std::function<void(const std::string&)> report{};
  /// Told of steps of jobs, ends of attempts and batches. Costs next to nothing where it is unset.
  std::shared_ptr<troupe::observer> observer{};
};

/// A C++ callable that graphs can name: kind `function`.
struct function_entry {
  std::string name{};
  function body{};
  bool pure = false; ///< Its output depends on what it is given only, and it does not block.
};

/// Reads the events of one job in order, each once. One thread at a time; copies share the place
/// where they read. It may outlive its runtime, and then answers `not_ready`.
class TROUPE_EXPORT event_reader {
public:
  /// The next events, at least one and at most `most`; waits for them up to `timeout`. Empty once
  /// `end` has been read. Errors: `timed_out`, `not_ready`, `journal_failed`; `no_such_job` once
  /// the job is deleted; `journal_corrupt`, `blob_missing` and `io_failed` if what it reads is
  /// damaged or cannot be read.
  result<std::vector<event>> next(std::chrono::milliseconds timeout,
                                  std::size_t most = limits::events_read_max);

  /// Calls `told` once, as soon as `next` may have something to give, or to refuse: at once on this
  /// thread, or on one of the runtime, and then it must not block. After a failure of the journal
  /// it may not be called: ask `next` now and then. Not again before it was called.
  void when_more(std::function<void()> told);

private:
  friend class runtime;
  struct impl;
  std::shared_ptr<impl> impl_;
};

/// A durable runtime inside this process. Every member is thread-safe (`close`, too, but not the
/// destructor and moves) and, unless it says so, waits until what it answers is durable, at most
/// `limits::request_deadline`: then it answers `timed_out`, and what it was asked for may still
/// happen. Nothing is thrown. Do not call what waits from a function or callback of the runtime
/// that runs on its threads: pure functions, `accepted`, `ended`. See `docs/embedding.md`.
class TROUPE_EXPORT runtime {
public:
  using functions = std::vector<function_entry>; ///< Names are distinct.
  using accepted = std::function<void(result<job_id>)>;
  using accepted_once = std::function<void(const result<submitted>&)>;
  using ended = std::function<void(const result<job_info>&)>;
  using changed = std::function<void(const status&)>;
  using watched = std::function<void(const result<event_reader>&)>;
  using transacted = std::function<void(const result<std::vector<submitted>>&)>;

  /// Opens or creates `config.data_dir`, recovers, and goes on with unfinished jobs: functions may
  /// be called before this returns. Errors: `already_open`, `newer_format`, `wrong_node`,
  /// `journal_corrupt`, `journal_failed`, `unknown_record`, `blob_missing`, `io_failed`,
  /// `no_space`, `unsupported`; `invalid_spec` for a function without name or body, or two of one
  /// name.
  static result<runtime> open(const runtime_config& config, functions functions = {});

  /// Closes it, as `close`; no other thread may use it any more.
  ~runtime();
  runtime(runtime&&) noexcept;
  runtime& operator=(runtime&&) noexcept;

  /// All that is wrong with a graph here, each with a JSON Pointer. Does not wait.
  problems check(const graph_spec& graph) const;

  /// Makes a graph durable; the same graph is stored once. It stays as long as a job names it, and
  /// for `limits::unused_graph_keep` after it was added last. Errors: `invalid_spec` (see `check`),
  /// `io_failed`, `no_space`, `not_ready`.
  result<graph_id> add_graph(const graph_spec& graph, namespace_id ns = {});

  /// A graph that was added. Errors: `no_such_graph`, `blob_missing`, `not_ready`.
  result<graph_spec> graph(const graph_id& id, namespace_id ns = {});

  /// At most `limit` (and at most `limits::rows_page_max`) graphs behind `after`, in bounded time.
  /// Errors: `io_failed`, `not_ready`.
  result<graph_list> graphs(const std::optional<graph_id>& after = {}, std::size_t limit = 100,
                            namespace_id ns = {});

  /// Begins a blob that comes in pieces. Errors: `no_space`, `io_failed`, `not_ready`.
  result<blob_upload> put_blob(std::uint64_t bytes_max, namespace_id ns = {});
  /// A blob that is there, now as young as a new one. Errors: `blob_missing`, `io_failed`,
  /// `not_ready`.
  result<blob_reader> blob(const blob_id& id, namespace_id ns = {});
  /// A value that stands in a blob, as events name it. Errors: also `invalid_spec` if that is no
  /// value, `too_large` beyond `limits::value_bytes_max`, `journal_corrupt`.
  result<value> blob_value(const blob_id& id, namespace_id ns = {});

  /// Makes one job durable, then returns its id. It runs at least once, also across a crash. With
  /// an idempotency key the same request always gives the same job. While the store lags behind
  /// the journal the answer takes up to `limits::admission_delay_max`. Errors: `invalid_spec`,
  /// `no_such_graph`, `no_such_job`, `too_large`, `overloaded`, `no_space` (the disk has no room
  /// for new jobs; those that were accepted go on), `idempotency_conflict`, `journal_failed`,
  /// `not_ready`.
  result<job_id> submit(const job_spec& spec);

  /// The same, and tells whether an earlier request with this key has made the job.
  result<submitted> submit_once(const job_spec& spec);
  /// As `submit` below.
  void submit_once(const job_spec& spec, accepted_once then, ended finally = {});

  /// The same without waiting: `then` is called once the job is durable or refused, `finally`
  /// once its end is durable, or with why that will not be told: `not_ready` if the runtime closes
  /// before, `journal_failed`, `no_space` or `io_failed` if the journal fails. Both run on a thread
  /// of the runtime, a refusal also on this one, and must neither block nor throw.
  void submit(const job_spec& spec, accepted then, ended finally = {});

  /// What is known of a job. Errors: `no_such_job`, `journal_failed`, `not_ready`; of a large
  /// result also `blob_missing`, `io_failed`, and `overloaded` if too many wait for such.
  result<job_info> get(job_id id);
  /// The same without waiting: `then` is called once, as that of `submit`.
  void get(job_id id, ended then);
  /// The same but for `job_info::result`, which may be large: it is not read. For who only looks
  /// how a job does.
  result<job_info> describe(job_id id);
  void describe(job_id id, ended then);
  /// Jobs of every shard, newest first; at most `filter.limit`. What only `get` tells is not set:
  /// `events`, `vertices`, `count`, `result` and `messages`. Errors: `not_ready`,
  /// `journal_corrupt`, `io_failed`.
  result<std::vector<job_info>> list(const job_filter& filter = {});
  /// The same in bounded time: a part of the list, and where it goes on.
  result<job_list> list_page(const job_filter& filter = {});
  /// Waits for the end of a job. Errors: `timed_out`, and those of `get`.
  result<job_info> wait(job_id id, std::chrono::milliseconds timeout);
  /// The same without waiting: `then` is called once, as that of `submit`, unless what is returned
  /// is called before. Errors: those of `get`, and `overloaded` if too many wait.
  std::function<void()> wait(job_id id, ended then);

  /// Steps of a job's life; `reason` goes into its events. Errors: `no_such_job`,
  /// `illegal_request` with both states, `journal_failed`, `not_ready`.
  status cancel(job_id id, std::string reason = {});
  status stop(job_id id, std::string reason = {});
  status pause(job_id id, std::string reason = {});
  status resume(job_id id, std::string reason = {});
  /// One of these steps without waiting: `then` is called once, as that of `submit`.
  void change(job_id id, job_change to, std::string reason, changed then);

  /// Tells a job that has not ended something new: an event of it, `job_info::messages`, and what
  /// workers get with its vertices and when they extend their leases. A job that waits or is paused
  /// keeps it for then; one that is made anew from this one is not told. Said twice, it is told
  /// twice. Errors: `no_such_job`; `illegal_request` if the job has ended or is about to;
  /// `invalid_spec` if the text is empty or no UTF-8; `too_large` beyond
  /// `limits::job_messages_max` or `limits::job_messages_bytes_max`; `journal_failed`, `not_ready`.
  status add_message(job_id id, std::string text);
  /// The same without waiting: `then` is called once, as that of `submit`.
  void add_message(job_id id, std::string text, changed then);

  /// Lets a recovered job go on that `hold_recovered` keeps. Errors: `no_such_job`, `not_ready`.
  status release(job_id id);

  /// Deletes a job that has ended, with its events and result. Errors: `no_such_job`,
  /// `illegal_request` if it has not ended, `journal_failed`, `not_ready`.
  status remove(job_id id);
  /// The same without waiting: `then` is called once, as that of `submit`.
  void remove(job_id id, changed then);

  /// Deletes every ended job that the filter shows, however many (`filter.limit` does not matter),
  /// and tells how many. With `dry_run` they are only counted. Deletions become durable in groups:
  /// after an error some are done. Errors: `invalid_spec` if the filter asks for jobs that have not
  /// ended, `journal_failed`, `not_ready`, `journal_corrupt`, `io_failed`.
  result<std::size_t> purge(const job_filter& filter, bool dry_run = false);

  /// Writes rows and makes jobs of one queue, all or none, if every condition holds. Returns what
  /// became of the jobs, in their order. Conditions see what earlier transactions wrote, also those
  /// that are not durable yet. One that writes no row and whose jobs were all made before, by their
  /// idempotency keys, gets them whatever its conditions. Errors: `condition_failed` and
  /// `idempotency_conflict` (nothing is written), those of `submit`; `too_large` for a part or if
  /// all is more than `limits::record_group_bytes_max`.
  result<std::vector<submitted>> transact(const transaction& x);
  /// The same, and waits for no more than values to be stored: `then` is called once, as that of
  /// `submit`.
  void transact(const transaction& x, transacted then);

  /// The content of a row; nothing if there is none. Errors: `not_ready`, `journal_corrupt`,
  /// `io_failed`.
  result<std::optional<std::vector<std::uint8_t>>>
  row(const std::string& queue, const std::string& key, namespace_id ns = {});

  /// Rows of a queue whose keys begin with `prefix`, in the order of their bytes, behind the key
  /// `after` unless that is empty; at most `limit` and at most `limits::rows_page_max`. Errors: as
  /// above.
  result<std::vector<queue_row>> rows(const std::string& queue, const std::string& prefix = {},
                                      const std::string& after = {}, std::size_t limit = 100,
                                      namespace_id ns = {});

  /// How many jobs each queue has in each state; none is zero. Errors: `not_ready`,
  /// `journal_corrupt`, `io_failed`.
  result<std::vector<queue_total>> totals();

  /// How the store stands right now. Errors: `not_ready`.
  result<store_stats> stats();

  using loaded = std::function<void(const result<runtime_load>&)>;
  /// Asks every actor that requests go to what it has to do: `then` is called once, when all have
  /// answered, as that of `submit`. A runtime that hangs does not answer. Errors: `not_ready`.
  void load(loaded then);
  /// The same, and waits at most `deadline`. Errors: also `timed_out`.
  result<runtime_load> load(std::chrono::milliseconds deadline = limits::request_deadline);

  /// Reads events from number `from` on; a reader may come at any time of a job's life, and after
  /// it. There may be many. Errors: those of `get`.
  result<event_reader> events(job_id id, std::uint64_t from = 1);
  /// The same without waiting: `then` is called once, as that of `submit`.
  void events(job_id id, std::uint64_t from, watched then);

  /// What a job was made from, to make another one of it; without its idempotency key. Errors:
  /// `no_such_job`, `no_such_graph`, `blob_missing`, `not_ready`, `journal_corrupt`, `io_failed`.
  result<job_spec> spec(job_id id);

  /// At most `limit` (and at most `limits::rows_page_max`) vertices of a job, from number `from` of
  /// its graph on, as they are on the disk. Errors: `no_such_job`, `no_such_graph`, `not_ready`,
  /// `journal_corrupt`, `io_failed`.
  result<vertex_list> vertices(job_id id, std::uint32_t from = 0, std::size_t limit = 100);

  /// Counts the lives of the store, from 1: a restored backup begins another, whose events are not
  /// those that were told before. Does not wait.
  std::uint64_t incarnation() const noexcept;

  using fetched = std::function<void(const result<std::vector<work_item>>&)>;
  using extended = std::function<void(const result<std::vector<lease_state>>&)>;
  using reported = std::function<void(const status&)>;

  /// Hands vertices of kind `worker` to a worker, once their leases are durable; nothing if there
  /// were none in time. Every callback here as that of `submit`. What is returned takes the call
  /// back: `then` gets nothing, and what was leased is for the next worker; it is harmless after
  /// the answer. Errors: `invalid_spec`, `overloaded`, `not_ready`.
  std::function<void()> fetch_work(const work_request& what, fetched then);
  result<std::vector<work_item>> fetch_work(const work_request& what);

  /// The worker's attempt has succeeded, or failed: then the vertex's `retry` decides. Saying the
  /// same again is answered again. Errors: `stale_token` if the attempt has ended otherwise or was
  /// given to another, `invalid_spec` if this is no token of this store, `no_such_job`,
  /// `too_large`, `journal_failed`, `not_ready`.
  void complete_work(namespace_id ns, const std::string& token, value output, reported then);
  status complete_work(const std::string& token, value output, namespace_id ns = {});
  void fail_work(namespace_id ns, const std::string& token, problem why, reported then);
  status fail_work(const std::string& token, problem why, namespace_id ns = {});

  /// The worker says something: an event of its job. `number` counts the worker's calls for this
  /// token from 1; a repeated one changes nothing. Errors: also `illegal_request` if numbers were
  /// left out; `too_large` beyond `limits::log_piece_bytes_max`.
  void emit_work(namespace_id ns, const std::string& token, std::uint64_t number, emit_kind kind,
                 std::string text, reported then);
  status emit_work(const std::string& token, std::uint64_t number, emit_kind kind, std::string text,
                   namespace_id ns = {});

  /// The worker is alive: each lease lasts its whole length from now on. Nothing is recorded.
  /// Errors: `too_large` for more than `limits::work_extend_max` tokens, `not_ready`.
  void extend_leases(namespace_id ns, std::vector<std::string> tokens, extended then);
  result<std::vector<lease_state>> extend_leases(std::vector<std::string> tokens,
                                                 namespace_id ns = {});

  /// Nobody got what was fetched with these tokens: it is for the next worker at once, and does not
  /// count as delivered. Tokens of leases that have ended change nothing.
  void return_work(namespace_id ns, const std::vector<std::string>& tokens);

  /// Ends all that runs (its attempts are run again by the next `open`), waits for it, and gives
  /// the directory back; every later call answers `not_ready`. A second call does nothing.
  void close();

private:
  struct impl; // CAF and the store stay behind this pointer.
  friend class event_reader;
  friend class caf_runtime;
  explicit runtime(std::unique_ptr<impl> x);
  std::unique_ptr<impl> impl_;
};

} // namespace troupe
