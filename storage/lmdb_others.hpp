#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

struct MDB_env;

namespace troupe::storage {

/// Transactions by which other processes read the same file. Thread-safe. Private to
/// storage/lmdb_*.
class lmdb_others {
public:
  using clock = std::chrono::steady_clock;

  struct found {
    std::size_t open = 0;
    clock::duration oldest{}; ///< Since it was first seen here: it is at least so old.
  };
  /// Looks at LMDB's table of readers.
  found look(MDB_env* env);

private:
  std::mutex mutex_;
  std::map<std::string, clock::time_point> seen_; ///< By process, thread and moment.
};

} // namespace troupe::storage
