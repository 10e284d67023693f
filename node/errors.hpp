#pragma once

#include "troupe/error.hpp"
#include "troupe/problem.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

/// The program `troupe`: command line, progress, tables.
namespace troupe::node {

/// What the program answers to its caller.
enum class exit_code : int {
  ok = 0,
  failed = 1,
  usage = 2,
  not_found = 3,
  conflict = 4,
  unauthorised = 5,
  unavailable = 6,
  timed_out = 124,
  interrupted = 130,
  terminated = 143,
};

constexpr int number(exit_code x) noexcept { return static_cast<int>(x); }

/// What the command line itself can find wrong; all else is an `ec`.
enum class fault : std::uint8_t {
  bad_usage,         ///< The arguments make no sense.
  unreadable_file,   ///< A file that was named cannot be read.
  invalid_graph,     ///< The graph has problems; they were listed.
  bad_input,         ///< `--input` is not JSON.
  bad_set,           ///< `--set` is not `VERTEX.KEY=VALUE`, or its path leads nowhere.
  unknown_vertex,    ///< The file has no vertex of this name.
  nothing_to_resume, ///< No unfinished job and no file.
  other_graph,       ///< The unfinished job is one of another graph.
  nothing_to_reuse,  ///< No earlier job of this graph.
  no_data_directory, ///< Nothing was ever stored there.
  unknown_job,       ///< No job has this id.
  ambiguous_job,     ///< Several jobs' ids begin so.
  job_failed,        ///< It ran, and has failed.
  job_cancelled,     ///< It was cancelled or stopped.
  interrupted,       ///< Ctrl-C.
  terminated,        ///< SIGTERM.
  output_failed,     ///< The output could not be written.
  damaged_store,     ///< A check of a data directory or a backup has found something.
  target_in_use,     ///< What a copy is to become is there already.
  bad_export,        ///< A line of an export cannot be taken.
  already_there,     ///< What is imported is there.
  not_confirmed,     ///< Something would be deleted, and nobody said yes.
  invalid_config,    ///< The configuration has problems; they were listed.
  needs_key,         ///< Others than this machine could call, and there is no key.
  broken_audit,      ///< A line of the audit log does not follow the one before.
  unknown_key,       ///< There is no key with this id.
  unhealthy,         ///< `troupe doctor` has found something.
  broken_keys,       ///< The file of keys is none.
  cannot_listen,     ///< The node's address cannot be listened on.
  bad_url,           ///< This is no address of a node.
  unreachable,       ///< The node cannot be reached, or was lost.
  strange_answer,    ///< What answered is no node of this version.
  refused_by_node,   ///< A node has refused it, in words that this version does not know.
  unexpected,        ///< A defect of the program.
};

constexpr fault last(fault) noexcept { return fault::unexpected; }

/// One line of the table of all errors. Numbers are stable: they are never given again.
struct error_kind {
  std::string_view number; ///< `E0001`; `docs/errors.md` has a paragraph for each.
  std::string_view name;
  exit_code exit = exit_code::failed;
  std::string_view what; ///< One line.
  std::string_view why;  ///< If nothing better is known.
  std::string_view next; ///< What the user can try.
};

/// The table: first the faults, then each `ec` but `none`.
std::span<const error_kind> error_kinds();
const error_kind& kind_of(fault x);
/// `x` must not be `none`.
const error_kind& kind_of(ec x);

/// The codes that the problem of a vertex or of a job can have.
std::span<const std::string_view> vertex_problem_codes();

/// What a user is told, and the exit code that comes with it. Empty parts: as the table says.
struct trouble {
  const error_kind* kind = nullptr;
  std::string what, why, next;
  problems found{}; ///< All that is wrong with what was sent to a node; shown before the rest.

  trouble(fault x, std::string what = {}, std::string why = {}, std::string next = {})
      : trouble(kind_of(x), std::move(what), std::move(why), std::move(next)) {}
  /// `kind` must outlive it.
  trouble(const error_kind& kind, std::string what, std::string why, std::string next)
      : kind(&kind), what(std::move(what)), why(std::move(why)), next(std::move(next)) {}
  /// The detail of the error is the why.
  trouble(const error& x, std::string next = {})
      : kind(&kind_of(x.code)), why(x.detail), next(std::move(next)) {}
};

/// `error[E0001]: …`, then the lines `why: …` and `try: …`.
std::string to_text(const trouble& x, bool colours = false);

/// Either a value or what to tell the user.
template <class T>
class [[nodiscard]] answer {
public:
  answer(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  answer(node::trouble reason) : state_(std::in_place_index<1>, std::move(reason)) {}

  explicit operator bool() const noexcept { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  /// Only if there is no value.
  const node::trouble& trouble() const { return std::get<1>(state_); }

private:
  std::variant<T, node::trouble> state_;
};

} // namespace troupe::node
