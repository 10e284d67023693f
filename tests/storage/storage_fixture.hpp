#pragma once

#include "storage/file_journal.hpp"
#include "storage/segment_format.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fault_file.hpp"
#include "tests/support/temp_dir.hpp"

#include <future>
#include <unistd.h>

namespace troupe::test {

using core::shard_id;
using storage::batch;

/// A directory of its own in the real file system, removed at the end.
struct temporary_directory {
  tests::temp_dir own;
  std::filesystem::path path = own.path();
};

inline storage::data_dir_options options_for(storage::file_ops& files) {
  storage::data_dir_options options;
  options.files = &files;
  return options;
}

/// Segments of one page, so that a few batches fill several.
inline constexpr storage::file_journal_options tiny{4096, 8192};

/// A data directory and its journal, opened for writing.
struct node_store {
  storage::data_dir directory;
  std::unique_ptr<storage::journal> journal;
};

inline result<node_store> open_store(storage::file_ops& files, const std::filesystem::path& path,
                                     const storage::file_journal_options& options = tiny,
                                     const storage::journal_applied& known = {}) {
  auto directory = storage::data_dir::open(path, storage::open_mode::write, options_for(files));
  if (!directory)
    return directory.error();
  auto journal = storage::open_file_journal(*directory, options, known);
  if (!journal)
    return journal.error();
  return node_store{std::move(*directory), std::move(*journal)};
}

/// Records that tell the shard and the position apart.
inline core::bytes records_of(shard_id shard, core::position at, std::size_t size = 100) {
  core::bytes records(size);
  for (std::size_t i = 0; i < size; ++i)
    records[i] = static_cast<std::uint8_t>(core::index_of(shard) * 101 + at * 7 + i);
  return records;
}

inline batch batch_of(shard_id shard, storage::opened at, std::size_t size = 100) {
  return {shard, at.epoch, at.head + 1, {}, records_of(shard, at.head + 1, size)};
}

inline std::future<status> append(storage::journal& journal, batch next) {
  auto answer = std::make_shared<std::promise<status>>();
  auto told = answer->get_future();
  journal.append(std::move(next), [answer](status outcome) { answer->set_value(outcome); });
  return told;
}

/// Appends `count` batches to a shard that was just opened, one by one.
inline void append_all(storage::journal& journal, shard_id shard, int count,
                       std::size_t size = 100) {
  auto at = *journal.open(shard);
  for (; count > 0; --count, ++at.head)
    REQUIRE(append(journal, batch_of(shard, at, size)).get().code() == ec::none);
}

/// Reads a shard to its end and checks each batch; the number of batches.
inline result<core::position> read_all(storage::journal& journal, shard_id shard) {
  core::position last = 0;
  bool right = true;
  auto done = journal.read(shard, 1, [&](const batch& x) {
    right = right && x.at == ++last && x.shard == shard
            && x.records == records_of(shard, x.at, x.records.size());
    return status{};
  });
  CHECK(right);
  if (!done)
    return done.error();
  return last;
}

/// Holds whoever comes until it is opened, and tells when someone is there.
class gate {
public:
  void pass() {
    std::unique_lock lock{mutex_};
    ++came_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return opened_ > 0 || open_; });
    opened_ -= open_ ? 0 : 1;
  }
  void wait_for(int count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return came_ >= count; });
  }
  void let_one() {
    std::scoped_lock lock{mutex_};
    ++opened_;
    changed_.notify_all();
  }
  void open() {
    std::scoped_lock lock{mutex_};
    open_ = true;
    changed_.notify_all();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int came_ = 0, opened_ = 0;
  bool open_ = false;
};

inline bool is_segment(const std::filesystem::path& name) { return name.extension() == ".seg"; }

} // namespace troupe::test
