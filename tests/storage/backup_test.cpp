#include "storage/backup.hpp"

#include "storage/compact.hpp"
#include "storage/data_pin.hpp"
#include "storage/restore.hpp"
#include "storage/restore_records.hpp"
#include "tests/storage/child_process.hpp"
#include "tests/storage/store_history.hpp"

#include <fstream>
#include <sys/mount.h>
#include <sys/stat.h>

using namespace troupe;
using namespace troupe::test;
namespace fs = std::filesystem;

namespace {

struct kept_store {
  temporary_directory temporary;
  std::uint64_t seed = std::random_device{}();
  store_history history{temporary.path / "data", seed};

  fs::path at(const char* name) const { return temporary.path / name; }

  storage::verify_report check(const fs::path& path) const {
    storage::verify_options options;
    options.graphs = history.graphs();
    auto report = storage::verify(path, options);
    REQUIRE(report);
    return std::move(*report);
  }
};

} // namespace

TEST_CASE("what BACKUP says is read back, and a changed byte is noticed", "[storage][backup]") {
  storage::backup_manifest x;
  x.source.owner.node = storage::random_node_id();
  x.taken += std::chrono::hours{12};
  x.positions = {{shard_id{0}, 7}, {shard_id{1}, 0}};
  x.jobs = 5;
  x.blobs = {1, 2, 3};
  auto text = encode(x);
  CHECK(*storage::decode_backup(text) == x);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto wrong = text;
    wrong[i] ^= 1;
    CHECK(storage::decode_backup(wrong).code() != ec::none);
  }
}

TEST_CASE("a backup is restored to the same content in a new incarnation", "[storage][backup]") {
  kept_store store;
  INFO("seed " << store.seed);
  store.history.run(300);
  store.history.apply_all();
  store.history.run(100); // In the journal alone.
  store.history.close();

  auto made = storage::back_up(store.at("data"), store.at("backup"));
  INFO((made ? std::string{} : made.error().detail));
  REQUIRE(made);
  CHECK(made->jobs > 20);
  auto checked = store.check(store.at("backup"));
  INFO(text_of(checked));
  CHECK(checked.clean());
  CHECK(checked.backup);

  auto restored = storage::restore(store.at("backup"), store.at("other"));
  REQUIRE(restored);
  CHECK(restored->made.owner.node == made->source.owner.node);
  CHECK(restored->made.owner.incarnation > made->source.owner.incarnation);
  auto again = store.check(store.at("other"));
  INFO(text_of(again));
  CHECK(again.clean());
  CHECK(again.tables.jobs == made->jobs);
  auto twice = storage::restore(store.at("backup"), store.at("third"));
  REQUIRE(twice);
  CHECK(twice->made.owner.incarnation > made->source.owner.incarnation);
  CHECK(content_of(store.at("other")) == content_of(store.at("third")));
}

TEST_CASE("a graph that no job names yet is backed up and restored", "[storage][backup]") {
  kept_store store;
  store.history.run(20);
  store.history.close();
  const std::string text = R"({"name":"nobody runs it yet"})", other = "a value nobody names";
  auto put = [&](const std::string& x) {
    auto directory = storage::data_dir::open(store.at("data"), storage::open_mode::write);
    auto blobs = std::move(*storage::open_blob_store(*directory));
    auto name = blobs->put({}, {reinterpret_cast<const std::uint8_t*>(x.data()), x.size()});
    REQUIRE(name);
    return *name;
  };
  auto graph = put(text), value = put(other);
  REQUIRE(storage::back_up(store.at("data"), store.at("backup")));
  auto checked = store.check(store.at("backup"));
  INFO(text_of(checked));
  CHECK(checked.clean());
  REQUIRE(storage::restore(store.at("backup"), store.at("other")));
  storage::blob_files restored{storage::system_files(), store.at("other") / "blobs"};
  CHECK(restored.check({}, graph).code() == ec::none);
  CHECK_FALSE(*restored.has({}, value));
}

TEST_CASE("a store whose journal lacks what its snapshot has seen is not backed up",
          "[storage][backup]") {
  kept_store store;
  INFO("seed " << store.seed);
  store.history.run(100);
  store.history.apply_all();
  store.history.run(20); // In the journal alone.
  store.history.close();
  for (auto& name : store.history.newer_segments())
    fs::remove(name);
  auto refused = storage::back_up(store.at("data"), store.at("backup"));
  REQUIRE(refused.code() == ec::journal_corrupt);
  CHECK(refused.error().detail.find("acknowledged data is missing") != std::string::npos);
  CHECK_FALSE(fs::exists(store.at("backup")));
  CHECK(storage::record_writer::open(store.at("data")).code() == ec::journal_corrupt);
  auto checked = store.check(store.at("data"));
  INFO(text_of(checked));
  CHECK(has(checked, storage::finding_kind::journal_damaged));
}

TEST_CASE("a refused backup names what is damaged where it can be looked at", "[storage][backup]") {
  kept_store store;
  INFO("seed " << store.seed);
  store.history.run(200);
  store.history.apply_all();
  core::bytes value;
  {
    auto reader = store.history.tables().read();
    REQUIRE(reader);
    auto cursor = (*reader)->cursor(storage::table::chunks);
    REQUIRE(*cursor->seek({}));
    value.assign(cursor->value().begin(), cursor->value().end());
  }
  store.history.close();
  damage(store.at("data"), value);
  auto refused = storage::back_up(store.at("data"), store.at("backup"));
  REQUIRE(refused.code() == ec::journal_corrupt);
  INFO(refused.error().detail);
  CHECK(refused.error().detail.find(store.at("data").string()) != std::string::npos);
  CHECK(refused.error().detail.find(store.at("backup").string()) == std::string::npos);
  CHECK(refused.error().detail.find("wrong checksum") != std::string::npos);
}

TEST_CASE("a backup whose journal is taken away meanwhile is refused", "[storage][backup]") {
  kept_store store;
  store.history.run(100);
  store.history.close();
  storage::copy_options options;
  options.progress = [&](const storage::copy_progress& x) {
    if (x.part != std::string{"snapshot"})
      return;
    fs::remove_all(store.at("data") / "journal");
    fs::create_directories(store.at("data") / "journal");
  };
  auto refused = storage::back_up(store.at("data"), store.at("backup"), options);
  CHECK(refused.code() == ec::journal_corrupt);
  CHECK_FALSE(fs::exists(store.at("backup")));
}

TEST_CASE("a backup is no data directory, and stays as it is", "[storage][backup]") {
  kept_store store;
  store.history.run(30);
  store.history.close();
  REQUIRE(storage::back_up(store.at("data"), store.at("backup")));
  auto files = [&] {
    std::set<fs::path> all;
    for (auto& entry : fs::recursive_directory_iterator{store.at("backup")})
      all.insert(entry.path());
    return all;
  };
  auto before = files();
  for (auto mode : {storage::open_mode::read, storage::open_mode::write}) {
    auto refused = storage::data_dir::open(store.at("backup"), mode);
    REQUIRE(refused.code() == ec::io_failed);
    INFO(refused.error().detail);
    CHECK(refused.error().detail.find("troupe restore " + store.at("backup").string())
          != std::string::npos);
  }
  CHECK(files() == before);
}

TEST_CASE("a directory that was never applied is backed up by its journal", "[storage][backup]") {
  kept_store store;
  INFO("seed " << store.seed);
  store.history.run(100);
  store.history.close();
  fs::remove_all(store.at("data") / "snapshot");
  REQUIRE(storage::back_up(store.at("data"), store.at("backup")));
  auto checked = store.check(store.at("backup"));
  INFO(text_of(checked));
  CHECK(checked.clean());
}

TEST_CASE("neither a backup nor a restore touches what is there", "[storage][backup]") {
  kept_store store;
  store.history.run(30);
  store.history.close();
  fs::create_directories(store.at("taken"));
  std::ofstream{store.at("taken") / "file"} << "mine";
  CHECK(storage::back_up(store.at("data"), store.at("taken")).code() == ec::invalid_spec);
  fs::create_directories(store.at("empty"));
  REQUIRE(storage::back_up(store.at("data"), store.at("empty")));
  CHECK(storage::restore(store.at("empty"), store.at("taken")).code() == ec::invalid_spec);
  CHECK(storage::restore(store.at("data"), store.at("new")).code() == ec::io_failed);
  CHECK_FALSE(fs::exists(store.at("new")));
}

TEST_CASE("a copy into an empty directory leaves that one what it is", "[storage][backup]") {
  kept_store store;
  store.history.run(30);
  store.history.close();
  constexpr auto mode = fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec;
  auto inode = [](const fs::path& x) {
    struct stat about {};
    REQUIRE(::stat(x.c_str(), &about) == 0);
    return about.st_ino;
  };
  auto empty = [&](const char* name) {
    auto made = store.at(name);
    fs::create_directories(made / "lost+found"); // As in a new file system.
    fs::permissions(made, mode);
    return made;
  };
  auto check = [&](const fs::path& made, ino_t before) {
    CHECK(inode(made) == before);
    CHECK(fs::status(made).permissions() == mode);
    CHECK_FALSE(fs::exists(made / "copy.partial"));
    CHECK_FALSE(fs::exists(made.string() + ".partial"));
    auto found = store.check(made);
    INFO(text_of(found));
    CHECK(found.clean());
  };
  auto backup = empty("backup"), other = empty("other"), here = empty("here");
  auto before = inode(backup);
  fs::create_directory_symlink(backup, store.at("link"));
  REQUIRE(storage::back_up(store.at("data"), store.at("link")));
  check(backup, before);
  before = inode(other);
  REQUIRE(storage::restore(store.at("link"), other));
  check(other, before);
  before = inode(here);
  auto was = fs::current_path();
  fs::current_path(here);
  auto done = storage::restore(backup, ".");
  fs::current_path(was);
  REQUIRE(done);
  check(here, before);
  CHECK(content_of(here) == content_of(other));
}

TEST_CASE("a copy fills a mount point, on the disk that is mounted there", "[storage][backup]") {
  kept_store store;
  store.history.run(30);
  store.history.close();
  auto disk = store.at("disk");
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64m") != 0) {
    WARN("no right to mount: nothing was tried");
    return;
  }
  auto made = storage::back_up(store.at("data"), disk);
  CHECK(fs::exists(disk / "BACKUP"));
  auto restored = storage::restore(disk, store.at("other"));
  for (auto& x : fs::directory_iterator{disk})
    fs::remove_all(x);
  auto back = storage::back_up(store.at("other"), store.at("again"));
  auto again = storage::restore(store.at("again"), disk);
  CHECK(fs::exists(disk / "MANIFEST"));
  CHECK(::umount2(disk.c_str(), MNT_DETACH) == 0);
  CHECK(made.code() == ec::none);
  CHECK(restored.code() == ec::none);
  CHECK(back.code() == ec::none);
  CHECK(again.code() == ec::none);
}

TEST_CASE("a copy that fails leaves an empty directory empty", "[storage][backup]") {
  kept_store store;
  store.history.run(30);
  store.history.close();
  REQUIRE(storage::back_up(store.at("data"), store.at("backup")));
  fs::resize_file(store.at("backup") / "snapshot" / "data.mdb", 4096);
  fs::create_directory(store.at("empty"));
  CHECK(storage::restore(store.at("backup"), store.at("empty")).code() == ec::journal_corrupt);
  CHECK(fs::is_empty(store.at("empty")));

  fs::create_directory(store.at("empty") / "copy.partial"); // One is at work.
  auto refused = storage::restore(store.at("backup"), store.at("empty"));
  REQUIRE(refused.code() == ec::invalid_spec);
  CHECK(refused.error().detail.find("copy.partial") != std::string::npos);
  CHECK(fs::exists(store.at("empty") / "copy.partial"));
}

TEST_CASE("a damaged store or backup is not copied in silence", "[storage][backup]") {
  kept_store store;
  INFO("seed " << store.seed);
  store.history.run(200);
  store.history.apply_all();
  store.history.close();
  auto flip = [](const fs::path& path) {
    auto content = *storage::read_file(storage::system_files(), path);
    (*content)[content->size() / 2] ^= 1;
    REQUIRE(storage::replace_file(storage::system_files(), path, path.string() + ".tmp", *content));
  };
  auto first_blob = [&](const char* name) {
    fs::path found;
    storage::blob_files files{storage::system_files(), store.at(name) / "blobs"};
    REQUIRE(files.each([&](auto& x) -> status {
      found = x.path;
      return {};
    }));
    return found;
  };
  REQUIRE(storage::back_up(store.at("data"), store.at("backup")));

  SECTION("a blob of the backup") {
    flip(first_blob("backup"));
    CHECK(storage::restore(store.at("backup"), store.at("new")).code() == ec::journal_corrupt);
    CHECK_FALSE(store.check(store.at("backup")).clean());
  }
  SECTION("a blob that is gone") {
    fs::remove(first_blob("backup"));
    CHECK(storage::restore(store.at("backup"), store.at("new")).code() == ec::blob_missing);
    CHECK_FALSE(store.check(store.at("backup")).clean());
  }
  SECTION("the file BACKUP") {
    flip(store.at("backup") / "BACKUP");
    CHECK(storage::restore(store.at("backup"), store.at("new")).code() == ec::journal_corrupt);
    CHECK_FALSE(store.check(store.at("backup")).clean());
  }
  SECTION("a snapshot that was cut off") {
    auto file = store.at("backup") / "snapshot" / "data.mdb";
    fs::resize_file(file, fs::file_size(file) - 4096);
    CHECK(storage::restore(store.at("backup"), store.at("new")).code() == ec::journal_corrupt);
    CHECK_FALSE(store.check(store.at("backup")).clean());
  }
  SECTION("a blob of the store") {
    flip(store.at("data") / fs::relative(first_blob("backup"), store.at("backup")));
    CHECK(storage::back_up(store.at("data"), store.at("again")).code() == ec::journal_corrupt);
    CHECK_FALSE(fs::exists(store.at("again")));
    CHECK_FALSE(fs::exists(store.at("again.partial")));
  }
  CHECK_FALSE(fs::exists(store.at("new")));
}

TEST_CASE("a compact snapshot has the same content in less space", "[storage][compact]") {
  kept_store store;
  INFO("seed " << store.seed);
  for (int i = 0; i < 20; ++i) {
    store.history.run(100);
    store.history.apply_all();
  }
  store.history.close();
  auto before = content_of(store.at("data"));
  auto report = storage::compact(store.at("data"));
  REQUIRE(report);
  CHECK(report->after < report->before);
  CHECK(report->after == fs::file_size(store.at("data") / "snapshot" / "data.mdb"));
  CHECK(content_of(store.at("data")) == before);
  auto checked = store.check(store.at("data"));
  INFO(text_of(checked));
  CHECK(checked.clean());
}

TEST_CASE("a snapshot is not compacted under a backup or a reader", "[storage][compact]") {
  kept_store store;
  store.history.run(100);
  store.history.apply_all();
  store.history.close();
  auto bytes = fs::file_size(store.at("data") / "snapshot" / "data.mdb");
  auto directory = storage::data_dir::open(store.at("data"), storage::open_mode::read);
  auto pin = std::optional{*storage::data_pin::take(*directory)};
  CHECK(storage::compact(store.at("data")).code() == ec::already_open);
  CHECK(fs::file_size(store.at("data") / "snapshot" / "data.mdb") == bytes);
  pin.reset();
  CHECK(storage::compact(store.at("data")).code() == ec::none);
}

TEST_CASE("a reader of the file before leaves the compact one whole", "[storage][compact]") {
  kept_store store;
  INFO("seed " << store.seed);
  for (int i = 0; i < 20; ++i) {
    store.history.run(20);
    store.history.apply_all();
  }
  store.history.close();
  child_process reading{[&](int said) { // As `verify --online` does, without a pin.
    auto directory = storage::data_dir::open(store.at("data"), storage::open_mode::read);
    auto tables = storage::open_lmdb_tables(*directory);
    auto reader = tables ? (*tables)->read() : tables.error();
    if (!reader || ::write(said, "x", 1) != 1)
      return 1;
    return ::pause();
  }};
  REQUIRE(reading.read(1) == "x");
  auto done = storage::compact(store.at("data"));
  REQUIRE(done);
  CHECK(done->after < done->before);
  auto after = [&] {
    auto checked = store.check(store.at("data"));
    INFO(text_of(checked));
    CHECK(checked.clean());
  };
  after();
  {
    auto directory = storage::data_dir::open(store.at("data"), storage::open_mode::write);
    auto tables = storage::open_lmdb_tables(*directory);
    REQUIRE(tables);
    REQUIRE(storage::forget_journal(**tables)); // Writes.
  }
  after();
}

TEST_CASE("incarnations grow and differ", "[storage][backup]") {
  std::chrono::sys_time<std::chrono::milliseconds> now{std::chrono::seconds{1'800'000'000}};
  CHECK(storage::next_incarnation(1, now, 7) > 1);
  CHECK(storage::next_incarnation(1, now, 7) != storage::next_incarnation(1, now, 8));
  CHECK(storage::next_incarnation(1, now, ~0ull)
        < storage::next_incarnation(1, now + std::chrono::milliseconds{1}, 0));
  auto far = std::uint64_t{1} << 52;
  CHECK(storage::next_incarnation(far, now, 0) == far + 1);
  CHECK(storage::next_incarnation(1, now, ~0ull) < (std::uint64_t{1} << 53));
}
