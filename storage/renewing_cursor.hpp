#pragma once

#include "storage/tables.hpp"

#include <chrono>
#include <functional>

namespace troupe::storage {

/// Walks a table for as long as it takes without holding one transaction for long: a step that
/// finds it older than `limits::read_transaction_max` begins another and goes on behind the last
/// row. So rows that are added or removed meanwhile may or may not be seen, others exactly once.
/// For one thread at a time. Errors of all: `overloaded` if too many read, `journal_corrupt`,
/// `io_failed`.
class renewing_cursor {
public:
  using clock = std::chrono::steady_clock;
  using time_source = std::function<clock::time_point()>;

  renewing_cursor(table_store& from, table in, time_source now = &clock::now)
      : from_(from), in_(in), now_(std::move(now)) {}

  /// As those of `table_cursor`; the argument must not be what `key` or `value` shows.
  result<bool> seek(core::byte_view key);
  result<bool> seek_before(core::byte_view key);
  result<bool> next();
  result<bool> previous();
  /// Valid until the next step or `let_go`.
  core::byte_view key() const { return cursor_->key(); }
  core::byte_view value() const { return cursor_->value(); }

  /// Ends the transaction now, before a pause of unknown length; the next step begins another.
  void let_go() noexcept;
  /// How many transactions it has begun.
  std::uint64_t transactions() const noexcept { return transactions_; }

private:
  /// Has a transaction that is young enough. True if it is the one of the step before.
  result<bool> refresh();
  result<bool> at(result<bool> found);

  table_store& from_;
  table in_;
  time_source now_;
  std::unique_ptr<table_reader> reader_;
  std::unique_ptr<table_cursor> cursor_;
  clock::time_point since_{};
  std::uint64_t transactions_ = 0;
  core::bytes place_;   ///< The last row's key.
  bool placed_ = false; ///< There was one.
};

} // namespace troupe::storage
