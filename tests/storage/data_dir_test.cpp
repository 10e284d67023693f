#include "tests/storage/storage_fixture.hpp"

#include "core/crc32c.hpp"

#include <fcntl.h>
#include <fstream>
#include <sys/mount.h>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;

namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream{file} << text;
}

/// A manifest's text with another value on one line and its checksum made right again.
std::string with(const manifest& about, const std::string& key, const std::string& value) {
  auto text = encode(about);
  auto start = text.find(key) + key.size() + 1;
  text.replace(start, text.find('\n', start) - start, value);
  text.erase(text.rfind("crc32c"));
  auto crc = core::crc32c({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  char line[24];
  std::snprintf(line, sizeof line, "crc32c %08x\n", crc);
  return text + line;
}

ec code_of(const std::filesystem::path& path, open_mode mode = open_mode::write,
           const data_dir_options& options = {}) {
  return data_dir::open(path, mode, options).code();
}

bool names(const error& why, const std::filesystem::path& path) {
  INFO(why.detail);
  return why.detail.find(path.string()) != std::string::npos;
}

} // namespace

TEST_CASE("a node id is written and read as a UUID", "[storage]") {
  auto id = random_node_id();
  CHECK(parse_node_id(to_string(id)) == id);
  CHECK(to_string(id)[14] == '4');
  CHECK_FALSE(parse_node_id("01234567-89ab-cdef-0123-456789abcde"));
  CHECK_FALSE(parse_node_id("01234567-89ab-cdef-0123-456789abcdeg"));
}

TEST_CASE("every changed byte of a manifest is found", "[storage]") {
  manifest about;
  about.owner.node = random_node_id();
  auto text = encode(about);
  CHECK(*decode_manifest(text) == about);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto damaged = text;
    damaged[i] ^= 1;
    CHECK(decode_manifest(damaged).code() == ec::journal_corrupt);
    CHECK(decode_manifest(text.substr(0, i)).code() == ec::journal_corrupt);
  }
}

TEST_CASE("a data directory keeps what it was made with", "[storage]") {
  temporary_directory temporary;
  auto path = temporary.path / "above" / "data";
  data_dir_options options;
  options.shards = 7;
  manifest made;
  {
    auto first = data_dir::open(path, open_mode::write, options);
    REQUIRE(first);
    made = first->about();
    CHECK(made.shards == 7);
    CHECK(made.owner.incarnation == 1);
  }
  auto again = data_dir::open(path, open_mode::write);
  REQUIRE(again);
  CHECK(again->about() == made);
}

TEST_CASE("a data directory that is open for writing is refused with the process id", "[storage]") {
  temporary_directory temporary;
  auto first = data_dir::open(temporary.path, open_mode::write);
  REQUIRE(first);
  auto second = data_dir::open(temporary.path, open_mode::write);
  REQUIRE(second.code() == ec::already_open);
  CHECK(names(second.error(), temporary.path));
  CHECK(second.error().detail.find(std::to_string(::getpid())) != std::string::npos);
  CHECK(code_of(temporary.path, open_mode::read) == ec::none);
}

TEST_CASE("a data directory is free again when it was closed", "[storage]") {
  temporary_directory temporary;
  CHECK(code_of(temporary.path) == ec::none);
  CHECK(code_of(temporary.path) == ec::none);
}

TEST_CASE("a data directory of a newer format or feature level is refused", "[storage]") {
  temporary_directory temporary;
  auto about = data_dir::open(temporary.path, open_mode::write)->about();
  for (auto* line : {"format", "feature_level"}) {
    write_text(temporary.path / "MANIFEST", with(about, line, "99"));
    auto refused = data_dir::open(temporary.path, open_mode::write);
    REQUIRE(refused.code() == ec::newer_format);
    CHECK(names(refused.error(), temporary.path));
  }
}

TEST_CASE("a data directory of another node is refused", "[storage]") {
  temporary_directory temporary;
  auto about = data_dir::open(temporary.path, open_mode::write)->about();
  data_dir_options options;
  options.expected_node = random_node_id();
  auto refused = data_dir::open(temporary.path, open_mode::write, options);
  REQUIRE(refused.code() == ec::wrong_node);
  CHECK(names(refused.error(), temporary.path));
  options.expected_node = about.owner.node;
  CHECK(code_of(temporary.path, open_mode::write, options) == ec::none);
}

TEST_CASE("segments of another node are refused", "[storage]") {
  temporary_directory one, other;
  for (auto& path : {one.path, other.path})
    append_all(*open_store(system_files(), path)->journal, shard_id{0}, 1);
  for (auto& entry : std::filesystem::directory_iterator{other.path / "journal"})
    std::filesystem::copy_file(entry, one.path / "journal" / entry.path().filename(),
                               std::filesystem::copy_options::overwrite_existing);
  auto refused = open_store(system_files(), one.path);
  REQUIRE(refused.code() == ec::wrong_node);
  CHECK(names(refused.error(), one.path));
}

TEST_CASE("a damaged or missing manifest is refused while there is a journal", "[storage]") {
  temporary_directory temporary;
  append_all(*open_store(system_files(), temporary.path)->journal, shard_id{0}, 1);
  auto file = temporary.path / "MANIFEST";
  auto text = text_of(file);
  write_text(file, text.substr(1));
  auto damaged = data_dir::open(temporary.path, open_mode::write);
  CHECK(damaged.code() == ec::journal_corrupt);
  CHECK(names(damaged.error(), file));
  std::filesystem::remove(file);
  auto missing = data_dir::open(temporary.path, open_mode::write);
  CHECK(missing.code() == ec::journal_corrupt);
  CHECK(names(missing.error(), file));
  CHECK(code_of(temporary.path, open_mode::read) == ec::journal_corrupt);
}

TEST_CASE("a removed journal directory or segment is told", "[storage]") {
  temporary_directory temporary;
  append_all(*open_store(system_files(), temporary.path)->journal, shard_id{0}, 50);
  std::filesystem::remove(temporary.path / "journal" / "0000000000000001.seg");
  CHECK(open_store(system_files(), temporary.path).code() == ec::journal_corrupt);
  std::filesystem::remove_all(temporary.path / "journal");
  CHECK(open_store(system_files(), temporary.path).code() == ec::journal_corrupt);
}

TEST_CASE("what is no data directory is refused", "[storage]") {
  temporary_directory temporary;
  auto file = temporary.path / "file";
  write_text(file, "text");
  auto refused = data_dir::open(file, open_mode::write);
  REQUIRE(refused.code() == ec::io_failed);
  CHECK(names(refused.error(), file));
  CHECK(code_of(file / "below") == ec::io_failed);
  CHECK(code_of(temporary.path / "nothing", open_mode::read) == ec::io_failed);
  CHECK(code_of(temporary.path, open_mode::read) == ec::io_failed);
  CHECK_FALSE(std::filesystem::exists(temporary.path / "LOCK"));
}

TEST_CASE("a read-only file system is refused with the system's reason", "[storage]") {
  fault_files files;
  files.before = [](fault_files::op what, const file_ops::path& name) {
    return what == fault_files::op::make_directory || name.filename() == "LOCK" ? -EROFS : 0;
  };
  auto refused = data_dir::open("/data", open_mode::write, options_for(files));
  REQUIRE(refused.code() == ec::io_failed);
  CHECK(refused.error().detail.find("Read-only file system") != std::string::npos);
}

TEST_CASE("a directory that was mounted read-only can be read, not written", "[storage]") {
  temporary_directory temporary;
  if (::mount("tmpfs", temporary.path.c_str(), "tmpfs", 0, "size=1m") != 0) {
    WARN("no right to mount: only the injected EROFS was tested");
    return;
  }
  append_all(*open_store(system_files(), temporary.path)->journal, shard_id{0}, 3);
  REQUIRE(::mount(nullptr, temporary.path.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0);
  auto refused = data_dir::open(temporary.path, open_mode::write);
  CHECK(refused.code() == ec::io_failed);
  CHECK(names(refused.error(), temporary.path));
  {
    auto directory = data_dir::open(temporary.path, open_mode::read);
    REQUIRE(directory);
    auto reader = open_journal_reader(*directory);
    REQUIRE(reader);
    CHECK(reader->heads()[shard_id{0}] == 3);
  }
  CHECK(::umount(temporary.path.c_str()) == 0);
}

TEST_CASE("a directory is whole or not there after a power loss at any step", "[storage]") {
  for (std::uint64_t step = 1; step < 30; ++step)
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      INFO("step " << step << ", seed " << seed);
      fault_files files;
      files.dies_at = step;
      auto made = data_dir::open("/data", open_mode::write, options_for(files));
      auto owner = made ? std::optional{made->about().owner} : std::nullopt;
      files.lose_power(seed);
      auto again = data_dir::open("/data", open_mode::write, options_for(files));
      REQUIRE(again.code() == ec::none);
      if (owner)
        CHECK(again->about().owner == *owner);
    }
}

TEST_CASE("an owner that has closed is not named to the next one", "[storage]") {
  temporary_directory temporary;
  CHECK(code_of(temporary.path) == ec::none);
  CHECK(text_of(temporary.path / "LOCK").empty());
}

TEST_CASE("a process that does not hold the lock is not named", "[storage]") {
  temporary_directory temporary;
  CHECK(code_of(temporary.path) == ec::none);
  write_text(temporary.path / "LOCK", std::to_string(::getppid())); // Killed, its number reused.
  auto check = file::open(system_files(), temporary.path / "LOCK", O_RDONLY);
  REQUIRE(check);
  REQUIRE(system_files().lock(check->descriptor()) == 0); // As `verify` does.
  auto refused = data_dir::open(temporary.path, open_mode::write);
  REQUIRE(refused.code() == ec::already_open);
  INFO(refused.error().detail);
  CHECK(refused.error().detail.find(std::to_string(::getppid())) == std::string::npos);
  CHECK(refused.error().detail.find("troupe verify") != std::string::npos);
}

TEST_CASE("what an import, a compaction or a restore left goes at the next start", "[storage]") {
  temporary_directory temporary;
  CHECK(code_of(temporary.path) == ec::none);
  for (auto* name : {"journal.tmp", "compact.tmp", "copy.partial"}) {
    std::filesystem::create_directories(temporary.path / name / "snapshot");
    write_text(temporary.path / name / "snapshot" / "data.mdb", "left");
  }
  CHECK(code_of(temporary.path, open_mode::read) == ec::none);
  CHECK(std::filesystem::exists(temporary.path / "journal.tmp"));
  CHECK(code_of(temporary.path) == ec::none);
  CHECK_FALSE(std::filesystem::exists(temporary.path / "journal.tmp"));
  CHECK_FALSE(std::filesystem::exists(temporary.path / "compact.tmp"));
  CHECK_FALSE(std::filesystem::exists(temporary.path / "copy.partial"));
}

TEST_CASE("half of a copy is no data directory, nor made one", "[storage]") {
  temporary_directory temporary;
  std::filesystem::create_directories(temporary.path / "copy.partial");
  std::filesystem::create_directories(temporary.path / "journal");
  for (auto mode : {open_mode::read, open_mode::write}) {
    CHECK(code_of(temporary.path, mode) != ec::none);
    CHECK_FALSE(std::filesystem::exists(temporary.path / "MANIFEST"));
  }
  CHECK(std::filesystem::exists(temporary.path / "copy.partial"));
}
