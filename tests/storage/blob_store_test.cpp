#include "storage/blob_folders.hpp"
#include "storage/blob_store.hpp"

#include "tests/storage/storage_fixture.hpp"

#include <thread>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;
using op = fault_files::op;

namespace {

constexpr namespace_id space{7};

core::bytes content_of(std::uint8_t x, std::size_t size = 5000) { return core::bytes(size, x); }

std::string path_of(const sha256_digest& name) {
  auto hex = to_hex(name);
  return "/data/blobs/7/" + hex.substr(0, 2) + "/" + hex;
}

std::filesystem::path fs_folder(const sha256_digest& name) {
  return std::filesystem::path{path_of(name)}.parent_path();
}

result<data_dir> directory_of(file_ops& files, open_mode mode = open_mode::write) {
  return data_dir::open("/data", mode, options_for(files));
}

} // namespace

TEST_CASE("the name of a blob is its SHA-256", "[storage]") {
  const core::bytes abc{'a', 'b', 'c'};
  CHECK(to_hex(sha256(abc)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("every blob store gives back what was put, per namespace", "[storage]") {
  fault_files files;
  auto directory = directory_of(files);
  auto of_files = std::move(*open_blob_store(*directory));
  auto of_memory = memory_blob_store();
  for (auto* store : {of_files.get(), of_memory.get()}) {
    auto name = store->put(space, content_of(1));
    REQUIRE(name);
    CHECK(*name == sha256(content_of(1)));
    CHECK(*store->get(space, *name) == content_of(1));
    CHECK(store->get(namespace_id{8}, *name).code() == ec::blob_missing);
    CHECK(store->get(space, sha256(content_of(2))).code() == ec::blob_missing);
    auto empty = store->put(space, {});
    CHECK(store->get(space, *empty)->empty());
    CHECK(store->put(space, content_of(1, 11), 10).code() == ec::too_large);
  }
}

TEST_CASE("a blob is durable with its name before put returns", "[storage]") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    INFO("seed " << seed);
    fault_files files;
    sha256_digest one, two;
    {
      auto directory = directory_of(files);
      auto store = std::move(*open_blob_store(*directory));
      one = *store->put(space, content_of(1));
      two = *store->put(space, content_of(2));
    }
    files.lose_power(seed);
    auto directory = directory_of(files);
    auto store = std::move(*open_blob_store(*directory));
    CHECK(*store->get(space, one) == content_of(1));
    CHECK(*store->get(space, two) == content_of(2));
  }
}

TEST_CASE("a crash at each step of put leaves the blob whole or missing", "[storage]") {
  for (std::uint64_t step = 1; step < 25; ++step)
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      INFO("step " << step << ", seed " << seed);
      fault_files files;
      auto directory = directory_of(files);
      auto store = std::move(*open_blob_store(*directory));
      files.dies_at = files.changes() + step;
      bool told = store->put(space, content_of(1)).code() == ec::none;
      files.lose_power(seed);
      auto again = directory_of(files);
      auto recovered = std::move(*open_blob_store(*again));
      auto found = recovered->get(space, sha256(content_of(1)));
      CHECK((found.code() == ec::none || (!told && found.code() == ec::blob_missing)));
      // One that was found, but whose name was not durable yet, is durable after a put.
      REQUIRE(recovered->put(space, content_of(1)).code() == ec::none);
      files.lose_power(seed + 1);
      auto last = directory_of(files);
      CHECK((*open_blob_store(*last))->get(space, sha256(content_of(1))).code() == ec::none);
    }
}

TEST_CASE("a blob that is there is not written again, a damaged one is healed", "[storage]") {
  fault_files files;
  auto directory = directory_of(files);
  auto store = std::move(*open_blob_store(*directory));
  auto name = *store->put(space, content_of(1));
  int written = 0;
  files.before = [&](op what, const file_ops::path&) {
    written += what == op::write;
    return 0;
  };
  CHECK(*store->put(space, content_of(1)) == name);
  CHECK(written == 0);
  files.content(path_of(name))[17] ^= 1;
  auto damaged = store->get(space, name);
  CHECK(damaged.code() == ec::journal_corrupt);
  CHECK(damaged.error().detail.find(path_of(name)) != std::string::npos);
  CHECK(*store->put(space, content_of(1)) == name);
  CHECK(*store->get(space, name) == content_of(1));
}

TEST_CASE("a full disk refuses a blob and leaves nothing behind", "[storage]") {
  fault_files files;
  auto directory = directory_of(files);
  auto store = std::move(*open_blob_store(*directory));
  files.before = [](op what, const file_ops::path&) { return what == op::write ? -ENOSPC : 0; };
  CHECK(store->put(space, content_of(1)).code() == ec::no_space);
  std::vector<std::string> left;
  files.list("/data/blobs/tmp", left);
  CHECK(left.empty());
  files.before = nullptr;
  CHECK(store->put(space, content_of(1)).code() == ec::none);
}

TEST_CASE("opening removes half written blobs, reading leaves all as it is", "[storage]") {
  fault_files files;
  {
    auto directory = directory_of(files);
    auto store = std::move(*open_blob_store(*directory));
    REQUIRE(store->put(space, content_of(1)).code() == ec::none);
  }
  files.close(files.open("/data/blobs/tmp/9", O_CREAT | O_WRONLY));
  auto beside = directory_of(files, open_mode::read);
  auto reading = std::move(*open_blob_store(*beside));
  CHECK(files.exists("/data/blobs/tmp/9"));
  CHECK(reading->put(space, content_of(2)).code() == ec::unsupported);
  CHECK(*reading->get(space, sha256(content_of(1))) == content_of(1));
  auto directory = directory_of(files);
  auto store = open_blob_store(*directory);
  CHECK_FALSE(files.exists("/data/blobs/tmp/9"));
}

TEST_CASE("threads put and get the same blobs at once", "[storage]") {
  temporary_directory temporary;
  auto directory = data_dir::open(temporary.path, open_mode::write);
  auto store = std::move(*open_blob_store(*directory));
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (std::uint8_t x = 0; x < 20; ++x) {
          auto name = store->put(space, content_of(x));
          auto found = name ? store->get(space, *name) : result<core::bytes>{ec::io_failed};
          wrong += !found || *found != content_of(x);
        }
      });
  }
  CHECK(wrong == 0);
}

TEST_CASE("a blob that a process left with an unsynced name is durable once it is held",
          "[storage]") {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    INFO("seed " << seed);
    fault_files files;
    auto name = sha256(content_of(1));
    {
      auto directory = directory_of(files);
      auto store = std::move(*open_blob_store(*directory));
      REQUIRE(store->put(space, content_of(2)));
      files.before = [&](op what, const file_ops::path& of) {
        return what == op::fsync && of == fs_folder(name) ? -EIO : 0;
      };
      CHECK(store->put(space, content_of(1)).code() == ec::io_failed);
      files.before = nullptr;
      files.kill();
    }
    auto directory = directory_of(files);
    auto store = std::move(*open_blob_store(*directory));
    REQUIRE(store->pin(space, name));
    files.lose_power(seed);
    auto again = directory_of(files);
    CHECK((*open_blob_store(*again))->get(space, name).code() == ec::none);
  }
}

TEST_CASE("holding a blob again costs no sync until its directory changes", "[storage]") {
  fault_files files;
  auto directory = directory_of(files);
  auto store = std::move(*open_blob_store(*directory));
  auto name = *store->put(space, content_of(1));
  REQUIRE(store->pin(space, name));
  int synced = 0;
  files.before = [&](op what, const file_ops::path&) {
    synced += what == op::fsync;
    return 0;
  };
  REQUIRE(store->pin(space, name));
  REQUIRE(store->put(space, content_of(1)));
  CHECK(synced == 0);
  files.content(path_of(name))[17] ^= 1; // Makes the next one write it anew.
  REQUIRE(store->put(space, content_of(1)));
  synced = 0;
  REQUIRE(store->pin(space, name));
  CHECK(synced == 1);
}

TEST_CASE("a name that comes while its directory is synced is synced by whoever comes next",
          "[storage]") {
  fault_files files;
  blob_folders folders{files, "/blobs"};
  const std::filesystem::path directory = "/blobs/0/ab";
  REQUIRE(folders.make(directory));
  auto on_its_way = std::make_optional<blob_folders::change>(folders, directory);
  int synced = 0;
  files.before = [&](op what, const file_ops::path&) {
    on_its_way.reset();
    synced += what == op::fsync;
    return 0;
  };
  REQUIRE(folders.sync(directory));
  REQUIRE(folders.sync(directory));
  CHECK(synced == 2);
  REQUIRE(folders.sync(directory));
  CHECK(synced == 2);
}
