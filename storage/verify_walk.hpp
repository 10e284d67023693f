#pragma once

#include "core/wire.hpp"
#include "storage/snapshot_read.hpp"

#include <chrono>

/// Ways through the tables of one shard. Private to storage/verify_*; for one thread.
namespace troupe::storage {

/// The tables at one moment, taken anew when the moment has lasted for long enough.
class moment {
public:
  using clock = std::chrono::steady_clock;

  moment(table_store& from, core::shard_id shard, clock::duration slice)
      : from_(from), shard_(shard), slice_(slice) {}

  /// True if it is another moment than before.
  result<bool> take(bool anew = false) {
    if (reader_ && !anew && (slice_ == clock::duration{} || clock::now() - since_ < slice_))
      return false;
    reader_.reset();
    auto reader = from_.read();
    if (!reader)
      return reader.error();
    reader_ = std::move(*reader);
    since_ = clock::now();
    ++taken_;
    return true;
  }
  void let_go() { reader_.reset(); }

  snapshot_read read() const { return {*reader_, shard_}; }
  table_reader& tables() const { return *reader_; }
  std::uint64_t taken() const noexcept { return taken_; }

private:
  table_store& from_;
  core::shard_id shard_;
  clock::duration slice_;
  std::unique_ptr<table_reader> reader_;
  clock::time_point since_{};
  std::uint64_t taken_ = 0;
};

/// Walks one table within the part of a shard.
class part_cursor {
public:
  part_cursor(table in, core::shard_id shard) : in_(in), prefix_(keys::shard(shard)) {}

  status seek(table_reader& from, core::byte_view key) {
    cursor_ = from.cursor(in_);
    return take(cursor_->seek(key));
  }
  status next() { return take(cursor_->next()); }
  void let_go() { cursor_.reset(); }

  bool there() const noexcept { return there_; }
  core::byte_view key() const { return cursor_->key(); }
  core::byte_view value() const { return cursor_->value(); }
  table of() const noexcept { return in_; }
  /// Of the tables whose keys go on with one.
  job_id id() const {
    job_id x;
    core::reader{key().subspan(prefix_.size())}(x);
    return x;
  }
  const core::bytes& prefix() const noexcept { return prefix_; }

private:
  status take(const result<bool>& found) {
    there_ = found && *found && keys::starts_with(cursor_->key(), prefix_);
    return found ? status{} : status{found.error()};
  }

  table in_;
  core::bytes prefix_;
  std::unique_ptr<table_cursor> cursor_;
  bool there_ = false;
};

} // namespace troupe::storage
