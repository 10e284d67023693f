#include "storage/disk_guard.hpp"

#include "tests/storage/storage_fixture.hpp"

#include <thread>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;
using namespace std::chrono_literals;
using op = fault_files::op;

namespace {

constexpr std::uint64_t megabyte = 1 << 20;

/// A guard that only looks when it is told to, over a disk of 1000 MiB.
struct guarded {
  fault_files files;
  result<data_dir> directory = data_dir::open("/data", open_mode::write, options_for(files));
  disk_guard_options options;
  std::shared_ptr<disk_guard> guard;

  explicit guarded(std::uint64_t free) {
    options.min_free_bytes = 80 * megabyte;
    options.reserve_bytes = 6 * megabyte;
    options.full_hold = 0ms;
    options.own_thread = false;
    files.disk = {1000 * megabyte, free * megabyte};
    guard = *disk_guard::open(*directory, options);
  }

  bool admits_with(std::uint64_t free) {
    files.disk.free = free * megabyte;
    guard->poll();
    return guard->admits();
  }
};

} // namespace

TEST_CASE("new jobs are refused while too little is free, and come again with clearly more",
          "[storage]") {
  guarded x{500};
  CHECK(x.guard->admits());
  CHECK(x.admits_with(86));
  CHECK_FALSE(x.admits_with(85)); // 80, and 6 for the reserve.
  CHECK(x.guard->state().needed_bytes() == 96 * megabyte);
  CHECK_FALSE(x.admits_with(90));
  CHECK(x.admits_with(96));
}

TEST_CASE("the least free space follows the size of the disk", "[storage]") {
  guarded x{500};
  x.options.min_free_bytes = 0;
  x.files.disk = {100 * megabyte, 50 * megabyte};
  auto small = *disk_guard::open(*x.directory, x.options);
  CHECK(small->state().min_free_bytes == 5 * megabyte);
  CHECK(small->state().reserve_bytes_goal == 5 * megabyte);
  x.files.disk = {1'000'000 * megabyte, 500'000 * megabyte};
  auto large = *disk_guard::open(*x.directory, x.options);
  CHECK(large->state().min_free_bytes == limits::min_free_bytes_max);
}

TEST_CASE("the reserve is made in steps, given up when space ends, and made again", "[storage]") {
  guarded x{500};
  x.guard->grow_reserve();
  CHECK(x.guard->state().reserve_bytes == 4 * megabyte);
  x.guard->grow_reserve();
  x.guard->grow_reserve();
  CHECK(x.guard->state().reserve_bytes == 6 * megabyte);
  CHECK(x.files.content("/data/RESERVE").size() == 6 * megabyte);
  CHECK((*disk_guard::open(*x.directory, x.options))->state().reserve_bytes == 6 * megabyte);
  CHECK(x.admits_with(80)); // The reserve is held: it is not asked for again.
  CHECK_FALSE(x.admits_with(30));
  CHECK(x.files.exists("/data/RESERVE"));
  CHECK_FALSE(x.admits_with(19));
  CHECK_FALSE(x.files.exists("/data/RESERVE"));
  x.guard->grow_reserve(); // Not now.
  CHECK_FALSE(x.files.exists("/data/RESERVE"));
  CHECK(x.admits_with(200));
  x.guard->grow_reserve();
  CHECK(x.guard->state().reserve_bytes == 4 * megabyte);
}

TEST_CASE("who meets a full disk gets the reserve, and keeps new jobs away", "[storage]") {
  guarded x{500};
  x.guard->grow_reserve();
  x.options.full_hold = 1h;
  auto guard = *disk_guard::open(*x.directory, x.options);
  CHECK(guard->make_room());
  CHECK_FALSE(x.files.exists("/data/RESERVE"));
  CHECK_FALSE(guard->admits()); // Whatever the system says, as for a quota.
  CHECK_FALSE(guard->make_room());
}

TEST_CASE("what must be written is tried until there is space, or who asks gives up", "[storage]") {
  guarded x{500};
  x.guard->grow_reserve();
  int tries = 0;
  auto succeeds_third = [&] { return ++tries < 3 ? status{ec::no_space} : status{}; };
  CHECK(x.guard->retry(succeeds_third, 1h, [] { return false; }).code() == ec::none);
  CHECK(tries == 3);
  auto fails = [] { return status{ec::io_failed}; };
  CHECK(x.guard->retry(fails, 1h, [] { return false; }).code() == ec::io_failed);
  auto full = [] { return status{ec::no_space}; };
  CHECK(x.guard->retry(full, 1h, [] { return true; }).code() == ec::no_space);
  CHECK(x.guard->retry(full, 0h, [] { return false; }).code() == ec::no_space);
  std::thread closing{[&] { x.guard->end_waits(); }};
  CHECK(x.guard->retry(full, 1h, [] { return false; }).code() == ec::no_space);
  closing.join();
}

TEST_CASE("a disk that tells nothing is told at the start, later the last answer stands",
          "[storage]") {
  guarded x{500};
  x.files.before = [](op what, const file_ops::path&) { return what == op::space ? -EIO : 0; };
  CHECK(disk_guard::open(*x.directory, x.options).code() == ec::io_failed);
  x.guard->poll();
  CHECK(x.guard->admits());
}

TEST_CASE("a journal waits for space where it needs a segment, and then goes on", "[storage]") {
  guarded x{500};
  file_journal_options options{4096, 4096};
  options.guard = x.guard.get();
  std::atomic<bool> full = false;
  std::atomic<int> refused = 0;
  x.files.before = [&](op what, const file_ops::path& name) {
    return full && what == op::write && name.extension() == ".tmp" && ++refused ? -ENOSPC : 0;
  };
  auto journal = std::move(*open_file_journal(*x.directory, options));
  append_all(*journal, shard_id{0}, 3, 900);
  full = true;
  auto at = *journal->open(shard_id{1});
  std::vector<std::future<status>> answers;
  for (; at.head < 20; ++at.head)
    answers.push_back(append(*journal, batch_of(shard_id{1}, at, 900)));
  while (refused < 3)
    std::this_thread::yield();
  CHECK(answers.back().wait_for(0s) == std::future_status::timeout);
  full = false;
  for (auto& answer : answers)
    CHECK(answer.get().code() == ec::none);
  journal.reset();
  CHECK(*read_all(**open_file_journal(*x.directory, options), shard_id{1}) == 20);
}

TEST_CASE("a journal that is closed while it waits for space ends with what it told", "[storage]") {
  guarded x{500};
  file_journal_options options{4096, 4096};
  options.guard = x.guard.get();
  std::atomic<bool> full = false;
  x.files.before = [&](op what, const file_ops::path& name) {
    return full && what == op::write && name.extension() == ".tmp" ? -ENOSPC : 0;
  };
  auto journal = std::move(*open_file_journal(*x.directory, options));
  auto at = *journal->open(shard_id{0});
  full = true;
  std::vector<std::future<status>> answers;
  for (; at.head < 20; ++at.head)
    answers.push_back(append(*journal, batch_of(shard_id{0}, at, 900)));
  journal.reset();
  core::position told = 0;
  for (auto& answer : answers)
    told += answer.get().code() == ec::none;
  CHECK(told < 20);
  full = false;
  CHECK((*open_file_journal(*x.directory, options))->open(shard_id{0})->head >= told);
}
