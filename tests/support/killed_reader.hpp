#pragma once

#include "storage/lmdb_tables.hpp"
#include "tests/storage/child_process.hpp"

namespace troupe::tests {

/// Another process that reads the snapshot of `directory`, from when it is told, and is killed
/// while it does. Made before this process opens the directory: it would copy what that holds.
class killed_reader {
public:
  explicit killed_reader(const std::filesystem::path& directory)
      : child_{[this, &directory](int said) {
          if (!go_.pass())
            return 1;
          auto opened = storage::data_dir::open(directory, storage::open_mode::read);
          auto tables = storage::open_lmdb_tables(*opened);
          auto held = (*tables)->read();
          if (!held || ::write(said, "x", 1) != 1)
            return 1;
          ::pause();
          return 0;
        }} {}

  /// Returns when it reads.
  void begin() {
    go_.open();
    REQUIRE(child_.read(1) == "x");
  }
  void kill() {
    child_.kill();
    child_.wait();
  }

private:
  test::child_gate go_; // It is there before the child is.
  test::child_process child_;
};

} // namespace troupe::tests
