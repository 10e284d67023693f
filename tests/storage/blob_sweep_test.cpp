#include "core/links.hpp"
#include "storage/blob_sweeper.hpp"
#include "storage/data_pin.hpp"
#include "tests/storage/storage_fixture.hpp"

#include <set>
#include <thread>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr namespace_id space{7};
constexpr blob_time never{};

core::bytes content_of(std::uint8_t x, std::size_t size = 5000) { return core::bytes(size, x); }

/// Names what it was told to.
struct marks {
  std::vector<blob_key> all;
  std::function<void()> meanwhile;

  blob_store::marker marker() {
    return [this](const blob_store::named& named) {
      if (meanwhile)
        meanwhile();
      for (auto& x : all)
        named(x.space, x.name);
      return status{};
    };
  }
};

struct on_files {
  fault_files files;
  result<data_dir> directory = data_dir::open("/data", open_mode::write, options_for(files));
  std::unique_ptr<blob_store> store = std::move(*open_blob_store(*directory));
};

bool has(blob_store& store, const sha256_digest& name) {
  return store.get(space, name).code() == ec::none;
}

core::bytes read_all_of(blob_source& source) {
  core::bytes all;
  CHECK(source
            .each([&](core::byte_view piece) {
              all.insert(all.end(), piece.begin(), piece.end());
              return status{};
            })
            .code()
        == ec::none);
  return all;
}

} // namespace

TEST_CASE("a sweep removes what is old, not named and not held, from every store", "[storage]") {
  on_files of_files;
  auto of_memory = memory_blob_store();
  for (auto* store : {of_files.store.get(), of_memory.get()}) {
    auto named = *store->put(space, content_of(1)), gone = *store->put(space, content_of(2));
    auto elsewhere = *store->put(namespace_id{8}, content_of(1));
    auto held = std::optional{std::move(*store->keep(space, content_of(3)))};
    auto held_name = held->name();
    CHECK(*store->bytes() == 4 * 5000);
    CHECK(store->namespaces()->size() == 2);
    auto put = store->list(space)->front().put;
    marks all{{{space, named}}, {}};

    auto early = store->sweep(all.marker(), put + 59min);
    CHECK(early->blobs == 0);
    auto done = store->sweep(all.marker(), put + 2h);
    REQUIRE(done);
    CHECK(done->blobs == 2);
    CHECK(done->bytes == 10'000);
    CHECK_FALSE(done->more);
    CHECK(has(*store, named));
    CHECK_FALSE(has(*store, gone));
    CHECK(has(*store, held_name));
    CHECK(store->get(namespace_id{8}, elsewhere).code() == ec::blob_missing);

    held.reset();
    CHECK(store->sweep(all.marker(), put + 2h)->blobs == 1);
    CHECK_FALSE(has(*store, held_name));
    CHECK(*store->put(space, content_of(2)) == gone);
    CHECK(has(*store, gone));
  }
}

TEST_CASE("a blob that is put or pinned while a sweep marks stays", "[storage]") {
  on_files of_files;
  auto& [files, directory, store] = of_files;
  auto put = *store->put(space, content_of(1)), pinned = *store->put(space, content_of(2));
  auto gone = *store->put(space, content_of(3));
  files.clock = never + 2h;
  marks none;
  none.meanwhile = [&] {
    CHECK(*store->put(space, content_of(1)) == put);
    CHECK(store->pin(space, pinned).code() == ec::none);
  };
  CHECK(store->sweep(none.marker(), never + 2h)->blobs == 1);
  CHECK(has(*store, put));
  CHECK(has(*store, pinned));
  CHECK_FALSE(has(*store, gone));
  CHECK(store->pin(space, gone).code() == ec::blob_missing);
  none.meanwhile = {};
  CHECK(store->sweep(none.marker(), never + 4h)->blobs == 2);
}

TEST_CASE("a blob whose pin goes while a sweep marks stays until the next", "[storage]") {
  on_files of_files;
  auto of_memory = memory_blob_store();
  for (auto* store : {of_files.store.get(), of_memory.get()}) {
    auto held = std::optional{std::move(*store->keep(space, content_of(1)))};
    auto name = held->name();
    auto put = store->list(space)->front().put;
    marks none; // The record that names it becomes durable behind the place that was walked.
    none.meanwhile = [&] { held.reset(); };
    CHECK(store->sweep(none.marker(), put + 2h)->blobs == 0);
    CHECK(has(*store, name));
    none.meanwhile = {};
    CHECK(store->sweep(none.marker(), put + 2h)->blobs == 1);
  }
}

TEST_CASE("a graph is spared longer than a value", "[storage]") {
  on_files of_files;
  auto of_memory = memory_blob_store();
  for (auto* store : {of_files.store.get(), of_memory.get()}) {
    core::bytes text{'{', '}'};
    auto graph = *store->put(space, text), other = *store->put(space, content_of(1));
    auto put = store->list(space)->front().put;
    CHECK(store->sweep(marks{}.marker(), put + 2h)->blobs == 1);
    CHECK_FALSE(has(*store, other));
    CHECK(store->sweep(marks{}.marker(), put + limits::unused_graph_keep - 1h)->blobs == 0);
    CHECK(has(*store, graph));
    CHECK(store->sweep(marks{}.marker(), put + limits::unused_graph_keep + 1h)->blobs == 1);
  }
}

TEST_CASE("what is swept is what no shard names, once nothing is on its way", "[storage]") {
  sweep_parts parts;
  parts.blobs = memory_blob_store();
  parts.views = {std::make_shared<view>(core::shard_id{0})};
  auto& store = *parts.blobs;
  status settled{ec::not_ready};
  parts.settle = [&] { return settled; };
  core::record_group group;
  core::child_requested child;
  child.ns = space;
  child.graph.sha256 = *store.put(space, content_of(1));
  child.input = core::payload{core::blob_ref{*store.put(space, content_of(2)), 5000}};
  auto gone = *store.put(space, content_of(3));
  core::record sent{space, core::shard_id{0}, {}, {}, {}};
  sent.body = core::message_sent{core::shard_id{1}, 1, core::encode_message(child)};
  batch one{core::shard_id{0}, core::epoch{1}, 1, {}, {}};
  core::encode(sent, one.records);
  parts.views.front()->add(one);
  auto now = store.list(space)->front().put + 2h;

  blob_sweeper sweeper{parts};
  CHECK(sweeper.step(now).code() == ec::not_ready);
  CHECK(has(store, gone));
  settled = {};
  CHECK(sweeper.step(now).code() == ec::none);
  CHECK(store.list(space)->size() == 2); // What the message in the outbox names.
  CHECK_FALSE(has(store, gone));
  CHECK(sweeper.state().blobs == 1);
}

TEST_CASE("a sweep that cannot mark, or meets a backup, removes nothing", "[storage]") {
  on_files of_files;
  auto& store = of_files.store;
  auto name = *store->put(space, content_of(1));
  auto broken = [](const blob_store::named&) { return status{ec::io_failed}; };
  CHECK(store->sweep(broken, never + 2h).code() == ec::io_failed);
  {
    auto pin = data_pin::take(*of_files.directory);
    REQUIRE(pin);
    CHECK(store->sweep(marks{}.marker(), never + 2h).code() == ec::not_ready);
  }
  CHECK(has(*store, name));
  CHECK(store->sweep(marks{}.marker(), never + 2h)->blobs == 1);
}

TEST_CASE("a blob that comes in pieces is what was put whole, and goes out in pieces",
          "[storage]") {
  on_files of_files;
  auto of_memory = memory_blob_store();
  core::bytes whole;
  for (std::size_t i = 0; i < 3'000'000; ++i)
    whole.push_back(static_cast<std::uint8_t>(i * i >> 7));
  for (auto* store : {of_files.store.get(), of_memory.get()}) {
    auto sink = std::move(*store->begin(space));
    for (std::size_t at = 0; at < whole.size(); at += 70'000)
      REQUIRE(sink->append(core::byte_view{whole}.subspan(
                               at, std::min<std::size_t>(70'000, whole.size() - at)))
                  .code()
              == ec::none);
    auto held = sink->commit();
    REQUIRE(held);
    CHECK(held->name() == sha256(whole));
    CHECK(*store->get(space, held->name()) == whole);
    auto source = std::move(*store->open(space, held->name()));
    CHECK(source->bytes() == whole.size());
    CHECK(read_all_of(*source) == whole);
    core::bytes part(1000);
    CHECK(*source->read(part, whole.size() - 400) == 400);
    CHECK(std::equal(part.begin(), part.begin() + 400, whole.end() - 400));

    auto small = std::move(*store->begin(space, 10));
    CHECK(small->append(content_of(1, 11)).code() == ec::too_large);
    CHECK(small->append(content_of(1, 10)).code() == ec::none);
    CHECK(store->open(space, sha256(content_of(9))).code() == ec::blob_missing);
    auto empty = std::move(*store->begin(space))->commit();
    CHECK(store->get(space, empty->name())->empty());
  }
}

TEST_CASE("a damaged blob is told when it has been read", "[storage]") {
  on_files of_files;
  auto name = *of_files.store->put(space, content_of(1));
  auto hex = to_hex(name);
  auto path = "/data/blobs/7/" + hex.substr(0, 2) + "/" + hex;
  of_files.files.content(path)[4000] ^= 1;
  auto source = std::move(*of_files.store->open(space, name));
  auto done = source->each([](core::byte_view) { return status{}; });
  CHECK(done.code() == ec::journal_corrupt);
  CHECK(done.error().detail.find(path) != std::string::npos);
}

TEST_CASE("a blob that is not committed leaves nothing", "[storage]") {
  on_files of_files;
  {
    auto sink = std::move(*of_files.store->begin(space));
    REQUIRE(sink->append(content_of(1)).code() == ec::none);
  }
  std::vector<std::string> left;
  of_files.files.list("/data/blobs/tmp", left);
  CHECK(left.empty());
  CHECK_FALSE(has(*of_files.store, sha256(content_of(1))));
}

TEST_CASE("a crash at each step of put, stream and sweep loses nothing that is named",
          "[storage]") {
  for (std::uint64_t step = 1; step < 60; ++step)
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      INFO("step " << step << ", seed " << seed);
      fault_files files;
      marks told; // Blobs whose put was answered: a record may name them.
      {
        auto directory = data_dir::open("/data", open_mode::write, options_for(files));
        auto store = std::move(*open_blob_store(*directory));
        files.dies_at = files.changes() + step;
        for (std::uint8_t x = 0; x < 3; ++x)
          if (auto name = store->put(space, content_of(x)))
            told.all.push_back({space, *name});
        if (auto sink = store->begin(space))
          if ((*sink)->append(content_of(9)))
            if (auto held = (*sink)->commit())
              told.all.push_back({space, held->name()});
        if (!told.all.empty())
          told.all.erase(told.all.begin()); // Its job was deleted.
        files.clock = never + 2h;
        (void)store->sweep(told.marker(), never + 2h);
        if (auto again = store->put(space, content_of(0)))
          told.all.push_back({space, *again});
      }
      files.lose_power(seed);
      auto directory = data_dir::open("/data", open_mode::write, options_for(files));
      auto store = std::move(*open_blob_store(*directory));
      for (auto& key : told.all)
        CHECK(has(*store, key.name));
      // What leaked is what the next sweep finds.
      REQUIRE(store->sweep(told.marker(), never + 24h).code() == ec::none);
      CHECK(store->list(space)->size()
            == std::set<blob_key>(told.all.begin(), told.all.end()).size());
      for (auto& key : told.all)
        CHECK(has(*store, key.name));
      std::vector<std::string> left;
      files.list("/data/blobs/tmp", left);
      CHECK(left.empty());
    }
}

TEST_CASE("puts beside sweeps never lose a blob that is held", "[storage]") {
  temporary_directory temporary;
  auto directory = data_dir::open(temporary.path, open_mode::write);
  auto store = std::move(*open_blob_store(*directory));
  std::atomic<bool> ended = false;
  std::atomic<int> wrong = 0, sweeps = 0;
  std::jthread sweeper{[&] {
    while (!ended) {
      auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
      wrong += store->sweep(marks{}.marker(), now + 1h, {0ms, 0ms}).code() != ec::none;
      ++sweeps;
    }
  }};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 60; ++n) {
          auto held = store->keep(space, content_of(static_cast<std::uint8_t>(n % 4)));
          wrong += !held || !has(*store, held->name());
        }
      });
  }
  ended = true;
  sweeper.join();
  CHECK(wrong == 0);
  CHECK(sweeps > 0);
}
