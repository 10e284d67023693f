#pragma once

#include "node/client/transport.hpp"
#include "node/job_query.hpp"
#include "node/progress.hpp"
#include "troupe/job_spec.hpp"

#include <map>
#include <optional>

namespace troupe::client {

using node::job_query;

inline constexpr std::size_t jobs_page = 1000;                  ///< Asked for at once.
inline constexpr std::size_t id_search_pages_max = 1000;        ///< Looked through for a short id.
inline constexpr std::chrono::milliseconds result_wait{30'000}; ///< Of one long poll.
inline constexpr std::chrono::milliseconds bulk_wait{600'000};  ///< For all jobs of a filter.

/// A job as a node tells it.
struct told_job {
  job_info info;
  value raw; ///< All that was told, also what this version does not know.
};

/// What a job is to be made from.
struct submission {
  std::string graph;                ///< JSON: a graph, or the id of one in quotes.
  std::optional<std::string> input; ///< JSON.
  std::optional<std::string> queue, retention, expires_in;
  std::map<std::string, std::string> labels;
  std::uint32_t max_parallel = 0; ///< 0: no limit of its own.
  std::string idempotency_key;    ///< Empty: none.
};

struct job_page {
  std::vector<told_job> jobs;
  std::string next; ///< The cursor of the next page; empty: there is none.
};

struct graph_page {
  std::vector<value> graphs; ///< As the node tells them: `id`, `name`, `vertices`, `edges`.
  std::string next;          ///< The cursor of the next page; empty: there is none.
};

/// What a bulk request has come to.
struct bulk_outcome {
  std::int64_t jobs = 0, refused = 0;
  value raw;
  std::optional<trouble> failed; ///< What stopped it half-way.
};

/// A node's HTTP interface, typed. One thread at a time. Faults everywhere: those of
/// `transport::ask`, of `refusal_of`, and `strange_answer`.
class node_client {
public:
  explicit node_client(endpoint at) : wire_(std::move(at)) {}

  const endpoint& at() const noexcept { return wire_.at(); }

  /// Makes a job. `replayed`: whether an earlier request with the key had made it.
  answer<told_job> submit(const submission& x, bool* replayed = nullptr);
  answer<told_job> get(job_id id);
  /// The job, with its result if it has completed; waits up to `wait` for its end.
  answer<told_job> result(job_id id, std::chrono::milliseconds wait = {}, const idle& waiting = {});
  /// Jobs, newest first, at most `limit` and `jobs_page`.
  answer<job_page> list(const job_query& query, const std::string& cursor, std::size_t limit);
  /// The job whose id begins so. Faults: `unknown_job`, `ambiguous_job`.
  answer<job_id> find(const std::string& prefix);
  /// The first vertices that have failed, at most `node::failures_shown_max`.
  answer<std::vector<node::vertex_failure>> failures(const job_info& job);

  /// `step`: `cancel`, `stop`, `pause`, `resume`.
  answer<told_job> change(job_id id, const std::string& step, const std::string& reason);
  /// A new job of the same kind. `from`: the vertex from which on all runs again; empty: what has
  /// not succeeded.
  answer<told_job> retry(job_id id, const std::string& from);
  /// Deletes a job that has ended; nothing if it is done.
  std::optional<trouble> remove(job_id id);
  /// `step`: as above, or `retry`, `purge`.
  answer<bulk_outcome> change_all(const std::string& step, const job_query& query, bool dry_run);

  /// Stores a graph; what the node tells of it.
  answer<value> add_graph(const std::string& json);
  answer<value> graph(const graph_id& id, const idle& waiting = {});
  /// Graphs by id, at most `limit` and `jobs_page`.
  answer<graph_page> graphs(const std::string& cursor, std::size_t limit);
  answer<value> stats();

  /// Makes a key of what `POST /v1/keys` takes; the member `key` of the answer is its secret.
  answer<value> add_key(const std::string& json);
  /// The keys that the asking one may see: `id`, `name`, `role`, `namespace`, `created_at`.
  answer<value::list> keys();
  /// Makes a key worthless; nothing if it is done.
  std::optional<trouble> revoke_key(const std::string& id);

  transport& wire() noexcept { return wire_; }

private:
  answer<value> ask(const request& what, const idle& waiting = {}, bool* replayed = nullptr);
  answer<told_job> ask_job(const request& what, const idle& waiting = {}, bool* replayed = nullptr);
  std::optional<trouble> remove_at(std::string target);
  trouble strange(const std::string& what) const;
  answer<job_id> found_job(const std::string& prefix, const std::vector<job_id>& found) const;

  transport wire_;
};

/// A part of a path or a query, with what is not a letter, a digit or one of `-._~` as `%XX`. Pure.
std::string encoded(std::string_view text);

} // namespace troupe::client
