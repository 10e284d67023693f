#pragma once

#include "troupe/export.hpp"

#include <cassert>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace troupe {

/// Everything the runtime can answer instead of a value. It is sent over the wire: append at the
/// end, never renumber. `docs/errors.md` has a paragraph for each.
enum class [[nodiscard]] ec : std::uint8_t{
    none = 0,
    no_such_job,          ///< The id was never issued, or its retention has passed.
    no_such_graph,        ///< No graph of this id is registered; register it first.
    no_such_vertex,       ///< The job's graph has no vertex of this id.
    stale_token,          ///< The attempt was lost and may already run elsewhere; drop the result.
    illegal_request,      ///< The job's state does not allow it, nothing has changed; read the job.
    invalid_spec,         ///< A name, size or graph is wrong; the detail says where; correct it.
    too_large,            ///< A payload is beyond its named limit; send less, or a blob.
    overloaded,           ///< The journal lags behind or a queue is full; repeat after a while.
    fenced,               ///< Another node owns the shard now; ask there.
    journal_failed,       ///< The disk refused a batch; nothing unacknowledged is kept; restart.
    journal_corrupt,      ///< A checksum is wrong where a batch was durable; restore a backup.
    unknown_record,       ///< A newer version wrote the journal; start that version.
    newer_format,         ///< The data directory is of a newer format; start that version.
    wrong_node,           ///< The data directory belongs to another node; open that node's own.
    already_open,         ///< Another process writes to the data directory; use or end that one.
    io_failed,            ///< The system refused a file operation; the detail says which and why.
    no_space,             ///< The disk is full; free space, then repeat.
    blob_missing,         ///< A record names a blob that is not there; restore a backup.
    not_ready,            ///< The runtime is closing or has failed; open it again.
    timed_out,            ///< The deadline passed first; the work itself goes on.
    unsupported,          ///< This build or machine cannot do it; the detail says why.
    idempotency_conflict, ///< Another request has used the key; choose another key.
    condition_failed, ///< A row is not as the transaction expects; nothing is written; read again.
};

constexpr ec last(ec) noexcept { return ec::condition_failed; }

/// Returns the name of a code as it stands in logs, JSON and `docs/errors.md`.
TROUPE_EXPORT const char* to_string(ec code) noexcept;

/// Why there is no value: a code to act on, and a detail for people.
struct error {
  ec code = ec::none;
  std::string detail;

  error(ec c) : code(c) {}
  error(ec c, std::string text) : code(c), detail(std::move(text)) {}
  bool operator==(ec c) const noexcept { return code == c; }
};

/// Either a value or the reason there is none.
template <class T>
class [[nodiscard]] result {
public:
  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(troupe::error reason) : state_(std::in_place_index<1>, std::move(reason)) {
    assert(std::get<1>(state_).code != ec::none);
  }
  result(ec code) : result(troupe::error{code}) {}

  explicit operator bool() const noexcept { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  /// The code, `none` if there is a value.
  ec code() const noexcept { return *this ? ec::none : std::get<1>(state_).code; }
  /// The reason. Only if there is no value.
  const troupe::error& error() const { return std::get<1>(state_); }

private:
  std::variant<T, troupe::error> state_;
};

/// The outcome of an operation that has no value.
class [[nodiscard]] status {
public:
  status() : reason_(ec::none) {}
  status(troupe::error reason) : reason_(std::move(reason)) {}
  status(ec code) : reason_(code) {}

  explicit operator bool() const noexcept { return reason_.code == ec::none; }
  ec code() const noexcept { return reason_.code; }
  const troupe::error& error() const noexcept { return reason_; }

private:
  troupe::error reason_;
};

} // namespace troupe
