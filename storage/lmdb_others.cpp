#include "storage/lmdb_others.hpp"

#include <algorithm>
#include <cstdio>
#include <lmdb.h>
#include <set>
#include <unistd.h>

namespace troupe::storage {

namespace {

/// Takes one line of LMDB's list: `pid thread transaction`, the last of which is `-` in a place
/// that nobody uses now.
int take(const char* line, void* into) {
  int process = 0;
  unsigned long long thread = 0, transaction = 0;
  if (std::sscanf(line, "%d %llx %llu", &process, &thread, &transaction) == 3
      && process != ::getpid())
    static_cast<std::set<std::string>*>(into)->insert(line);
  return 0;
}

} // namespace

lmdb_others::found lmdb_others::look(MDB_env* env) {
  std::set<std::string> now;
  (void)::mdb_reader_list(env, &take, &now); // Without a list nobody is told.
  auto time = clock::now();
  std::scoped_lock lock{mutex_};
  std::erase_if(seen_, [&](auto& x) { return !now.contains(x.first); });
  found all{now.size(), {}};
  for (auto& line : now)
    all.oldest = std::max(all.oldest, time - seen_.try_emplace(line, time).first->second);
  return all;
}

} // namespace troupe::storage
