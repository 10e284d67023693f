#include "tests/storage/storage_fixture.hpp"

#include <sys/mount.h>
#include <thread>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;

namespace {

result<data_dir> open_to_read(file_ops& files, const std::filesystem::path& path) {
  return data_dir::open(path, open_mode::read, options_for(files));
}

core::position count_of(const journal_reader& reader, shard_id shard) {
  core::position last = 0;
  auto done = reader.read(shard, 1, [&](const batch& x) {
    CHECK(x.at == ++last);
    return status{};
  });
  CHECK(done.code() == ec::none);
  return last;
}

} // namespace

TEST_CASE("a reader sees what a live writer has written, after each refresh", "[storage]") {
  temporary_directory temporary;
  auto store = open_store(system_files(), temporary.path);
  auto directory = open_to_read(system_files(), temporary.path);
  REQUIRE(directory);
  auto reader = open_journal_reader(*directory);
  REQUIRE(reader);
  CHECK(reader->heads().empty());
  append_all(*store->journal, shard_id{1}, 30);
  CHECK(reader->heads().empty());
  REQUIRE(reader->refresh().code() == ec::none);
  CHECK(reader->heads()[shard_id{1}] == 30);
  append_all(*store->journal, shard_id{1}, 30);
  REQUIRE(reader->refresh().code() == ec::none);
  CHECK(count_of(*reader, shard_id{1}) == 60);
}

TEST_CASE("a reader syncs what it tells and writes nothing", "[storage]") {
  fault_files files;
  {
    auto store = open_store(files, "/data");
    append_all(*store->journal, shard_id{0}, 3);
    files.dies_at = 0;
  }
  files.kill();
  auto& content = files.content("/data/journal/0000000000000001.seg");
  content[128 + 3 * padded_bytes(100) + 1] = 0xaa; // A torn write.
  auto torn = content;
  bool wrote = false;
  int synced = 0;
  files.before = [&](fault_files::op what, const file_ops::path& name) {
    wrote = wrote
            || (what != fault_files::op::open && what != fault_files::op::read
                && what != fault_files::op::fdatasync);
    synced += what == fault_files::op::fdatasync && is_segment(name);
    return 0;
  };
  auto directory = open_to_read(files, "/data");
  REQUIRE(directory);
  auto reader = open_journal_reader(*directory);
  REQUIRE(reader);
  CHECK(count_of(*reader, shard_id{0}) == 3);
  CHECK(content == torn);
  CHECK_FALSE(wrote);
  CHECK(synced == 1);
}

TEST_CASE("a reader that cannot sync tells nothing", "[storage]") {
  fault_files files;
  append_all(*open_store(files, "/data")->journal, shard_id{0}, 3);
  files.before = [](fault_files::op what, const file_ops::path&) {
    return what == fault_files::op::fdatasync ? -EIO : 0;
  };
  CHECK(open_journal_reader(*open_to_read(files, "/data")).code() == ec::io_failed);
}

TEST_CASE("a reader beside a busy writer never takes growth for damage", "[storage]") {
  fault_files files;
  auto store = open_store(files, "/data");
  auto directory = open_to_read(files, "/data");
  auto reader = open_journal_reader(*directory);
  REQUIRE(reader);
  std::jthread writer{[&] {
    auto at = *store->journal->open(shard_id{0});
    for (; at.head < 3000; ++at.head)
      if (append(*store->journal, batch_of(shard_id{0}, at, at.head % 700)).get().code()
          != ec::none)
        return;
  }};
  core::position seen = 0;
  while (seen < 3000) {
    auto done = reader->refresh();
    INFO(done.error().detail);
    REQUIRE(done.code() == ec::none);
    auto head = reader->heads()[shard_id{0}];
    REQUIRE(head >= seen);
    seen = head;
  }
  CHECK(count_of(*reader, shard_id{0}) == 3000);
}

TEST_CASE("a full file system is told, keeps what was told, and goes on with space", "[storage]") {
  temporary_directory temporary;
  if (::mount("tmpfs", temporary.path.c_str(), "tmpfs", 0, "size=256k") != 0) {
    WARN("no right to mount: only the injected ENOSPC was tested");
    return;
  }
  core::position told = 0;
  {
    auto store = open_store(system_files(), temporary.path);
    REQUIRE(store);
    auto at = *store->journal->open(shard_id{0});
    status outcome;
    while ((outcome = append(*store->journal, batch_of(shard_id{0}, at, 900)).get()))
      told = ++at.head;
    CHECK(outcome.code() == ec::no_space);
  }
  CHECK(told > 100);
  REQUIRE(::mount(nullptr, temporary.path.c_str(), nullptr, MS_REMOUNT, "size=512k") == 0);
  {
    auto store = open_store(system_files(), temporary.path);
    REQUIRE(store);
    CHECK(store->journal->open(shard_id{0})->head == told);
    append_all(*store->journal, shard_id{0}, 20, 900);
    CHECK(*read_all(*store->journal, shard_id{0}) == told + 20);
  }
  CHECK(::umount(temporary.path.c_str()) == 0);
}
