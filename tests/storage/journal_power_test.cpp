#include "tests/storage/storage_fixture.hpp"

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;

namespace {

constexpr std::uint16_t shards = 4;

/// What a client knows of a shard: what it was told, and what it sent last for each position.
struct known_shard {
  core::position told = 0;
  std::map<core::position, core::bytes> sent;
  core::epoch epoch{};
};

/// Lives through many power losses and remembers what it was told.
struct survivor {
  fault_files files;
  std::mt19937_64 random;
  std::array<known_shard, shards> known;

  explicit survivor(std::uint64_t seed) : random(seed) {}

  /// Nothing that was told is gone, nothing is there that was not sent.
  void check(journal& journal, std::array<opened, shards>& at) {
    for (std::uint16_t i = 0; i < shards; ++i) {
      auto& shard = known[i];
      auto found = journal.open(shard_id{i});
      REQUIRE(found);
      CHECK(found->head >= shard.told);
      CHECK(found->epoch > core::epoch{});
      core::position last = 0;
      auto done = journal.read(shard_id{i}, 1, [&](const batch& x) {
        CHECK(x.at == ++last);
        CHECK(x.records == shard.sent[x.at]);
        return status{};
      });
      CHECK(done.code() == ec::none);
      CHECK(last == found->head);
      shard.told = found->head;
      at[i] = *found;
    }
  }

  /// Some batches of random shards at once, then their answers. False: the process died.
  bool send(journal& journal, std::array<opened, shards>& at) {
    std::vector<std::pair<std::uint16_t, std::future<status>>> answers;
    for (std::uint16_t i = 0; i < shards; ++i)
      if (random() % 2) {
        core::bytes records(random() % 1500);
        for (auto& byte : records)
          byte = static_cast<std::uint8_t>(random());
        known[i].sent[at[i].head + 1] = records;
        answers.emplace_back(
            i, append(journal, {shard_id{i}, at[i].epoch, at[i].head + 1, {}, records}));
      }
    bool alive = true;
    for (auto& [i, answer] : answers) {
      bool kept = answer.get().code() == ec::none;
      alive = alive && kept;
      if (kept)
        known[i].told = ++at[i].head;
    }
    return alive;
  }

  void live_once() {
    files.dies_at = 1 + random() % 120;
    if (auto store = open_store(files, "/data")) {
      std::array<opened, shards> at;
      check(*store->journal, at);
      for (int i = 0; i < 40 && send(*store->journal, at); ++i)
        ;
    }
    if (random() % 3 == 0)
      files.kill();
    else
      files.lose_power(random());
  }
};

} // namespace

TEST_CASE("every batch that was told survives power losses, at any write", "[storage]") {
  auto base = Catch::rngSeed();
  for (std::uint64_t seed = base; seed < base + 40; ++seed) {
    INFO("seed " << seed);
    survivor one{seed};
    for (int life = 0; life < 8; ++life)
      one.live_once();
    auto store = open_store(one.files, "/data");
    REQUIRE(store.code() == ec::none);
    std::array<opened, shards> at;
    one.check(*store->journal, at);
  }
}

TEST_CASE("a crash at each step of the first opening and batch loses nothing told", "[storage]") {
  for (std::uint64_t step = 1; step < 60; ++step)
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      INFO("step " << step << ", seed " << seed);
      fault_files files;
      files.dies_at = step;
      core::position told = 0;
      if (auto store = open_store(files, "/data")) {
        auto at = *store->journal->open(shard_id{0});
        for (; at.head < 3; ++at.head)
          if (append(*store->journal, batch_of(shard_id{0}, at, 2500)).get().code() == ec::none)
            told = at.head + 1;
          else
            break;
      }
      files.lose_power(seed);
      auto store = open_store(files, "/data");
      REQUIRE(store.code() == ec::none);
      CHECK(*read_all(*store->journal, shard_id{0}) >= told);
    }
}

TEST_CASE("a segment that was prepared before a crash is used after it", "[storage]") {
  fault_files files;
  append_all(*open_store(files, "/data")->journal, shard_id{0}, 5);
  files.lose_power(1);
  append_all(*open_store(files, "/data")->journal, shard_id{0}, 60);
  CHECK(*read_all(*open_store(files, "/data")->journal, shard_id{0}) == 65);
}

TEST_CASE("a half prepared segment is removed", "[storage]") {
  fault_files files;
  append_all(*open_store(files, "/data")->journal, shard_id{0}, 1);
  files.close(files.open("/data/journal/prepared.tmp", O_CREAT | O_WRONLY));
  auto store = open_store(files, "/data");
  store->journal.reset();
  CHECK_FALSE(files.exists("/data/journal/prepared.tmp"));
}
