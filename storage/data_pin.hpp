#pragma once

#include "storage/data_dir.hpp"

#include <functional>

namespace troupe::storage {

/// Keeps what is in a data directory: while any process holds one, the owner neither trims the
/// journal nor sweeps blobs. For backups, and for readers that join several files into one state.
/// Goes with the object, or with its process. Movable between threads.
class data_pin {
public:
  /// Waits up to `limits::data_pin_wait` for the owner to end what it is removing.
  /// Errors: `timed_out`, `io_failed`, `no_space`.
  static result<data_pin> take(const data_dir& directory);

private:
  explicit data_pin(std::optional<file> lock) : lock_(std::move(lock)) {}

  std::optional<file> lock_; ///< None where nothing can be written, so nothing is removed.
};

/// The owner's side: removes only while nobody holds a pin. For one thread.
class removal_gate {
public:
  /// Errors: `io_failed`, `no_space`.
  static result<removal_gate> open(const data_dir& directory);

  /// Runs `remove` and tells how it went. `not_ready` without running it: someone holds a pin,
  /// try later.
  status pass(const std::function<status()>& remove);

  /// The same for a command that has no later: waits a second for those who hold one, then
  /// answers `already_open` with what to do.
  status pass_soon(const std::function<status()>& remove);

private:
  removal_gate(file_ops& files, file lock) : files_(&files), lock_(std::move(lock)) {}

  file_ops* files_;
  file lock_;
};

} // namespace troupe::storage
