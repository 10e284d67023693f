#include "bench/measure.hpp"
#include "storage/lmdb_tables.hpp"
#include "storage/tables.hpp"

#include <cstdlib>
#include <random>

/// The snapshot's tables: batches of growing and of random keys, look-ups, scans, the check, and a
/// compact copy. Usage: tables_bench [ROWS] [DIRECTORY]; works below it, the current directory by
/// default.

namespace {

using namespace troupe;
using namespace troupe::storage;
using bench::clock;
using bench::print_row;
using bench::seconds_since;

constexpr int turns = 3;
constexpr std::size_t value_bytes = 300;

[[noreturn]] void give_up(const error& why) {
  std::fprintf(stderr, "tables_bench: %s\n", why.detail.c_str());
  std::exit(1);
}

/// 2 bytes of a shard, 8 of a number, both big-endian: as ids of jobs grow.
core::bytes key_of(std::uint64_t number) {
  core::bytes key{0, static_cast<std::uint8_t>(number % 4)};
  for (int shift = 56; shift >= 0; shift -= 8)
    key.push_back(static_cast<std::uint8_t>(number >> shift));
  return key;
}

/// Puts `count` rows in transactions of `batch`; rows a second.
double put_rows(table_store& to, std::uint64_t count, std::uint64_t batch,
                const std::function<std::uint64_t(std::uint64_t)>& number) {
  core::bytes value(value_bytes);
  auto begin = clock::now();
  for (std::uint64_t at = 0; at < count; at += batch) {
    auto done = update(to, [&](table_writer& x) {
      for (auto i = at; i < std::min(count, at + batch); ++i) {
        value[0] = static_cast<std::uint8_t>(i);
        value[1] = static_cast<std::uint8_t>(begin.time_since_epoch().count());
        if (auto put = x.put(table::done, key_of(number(i)), value); !put)
          return put;
      }
      return status{};
    });
    if (!done)
      give_up(done.error());
  }
  return static_cast<double>(count) / seconds_since(begin);
}

double look_up(table_store& in, std::uint64_t rows, std::uint64_t each) {
  std::mt19937_64 random{1};
  auto begin = clock::now();
  constexpr std::uint64_t count = 200'000;
  std::unique_ptr<table_reader> reader;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i % each == 0) {
      auto begun = in.read();
      if (!begun)
        give_up(begun.error());
      reader = std::move(*begun);
    }
    auto found = reader->get(table::done, key_of(random() % rows));
    if (!found || !*found)
      give_up(found ? error{ec::io_failed, "a row is gone"} : found.error());
  }
  return count / seconds_since(begin);
}

double scan(table_store& in) {
  auto begin = clock::now();
  auto reader = in.read();
  if (!reader)
    give_up(reader.error());
  auto cursor = (*reader)->cursor(table::done);
  std::uint64_t rows = 0;
  auto there = cursor->seek({});
  for (; there && *there; there = cursor->next())
    ++rows;
  if (!there)
    give_up(there.error());
  return static_cast<double>(rows) / seconds_since(begin);
}

void measure_common(const std::string& kind, table_store& store, std::uint64_t rows) {
  std::vector<double> single, per_read, walk;
  for (int i = 0; i < turns; ++i) {
    per_read.push_back(look_up(store, rows, 1) / 1e3);
    single.push_back(look_up(store, rows, 1000) / 1e3);
    walk.push_back(scan(store) / 1e6);
  }
  print_row(kind + ": look-ups, a transaction each", per_read, "k/s", "");
  print_row(kind + ": look-ups, 1000 a transaction", single, "k/s", "");
  print_row(kind + ": scan", walk, "M rows/s", "");
}

void measure_writes(const std::string& kind, table_store& store, std::uint64_t rows) {
  auto same = [](std::uint64_t i) { return i; };
  print_row(kind + ": growing keys, 10,000 a transaction",
            {put_rows(store, rows, 10'000, same) / 1e3}, "k rows/s", "");
  for (std::uint64_t batch : {1, 100, 1000}) {
    std::vector<double> growing, random;
    std::mt19937_64 source{2};
    auto count = std::min<std::uint64_t>(batch * 300, 100'000);
    for (int i = 0; i < turns; ++i) {
      auto first = rows + static_cast<std::uint64_t>(i) * count;
      growing.push_back(put_rows(store, count, batch, [&](auto x) { return first + x; }) / 1e3);
      random.push_back(put_rows(store, count, batch, [&](auto) { return source() % rows; }) / 1e3);
    }
    auto name = ", " + std::to_string(batch) + " a transaction";
    print_row(kind + ": growing keys" + name, growing, "k rows/s",
              kind == "LMDB" ? "each synced" : "");
    print_row(kind + ": random keys" + name, random, "k rows/s",
              kind == "LMDB" ? "each synced" : "");
  }
}

void measure_file(lmdb_tables& store, const std::filesystem::path& directory) {
  std::vector<double> check, copy;
  for (int i = 0; i < turns; ++i) {
    auto begin = clock::now();
    auto found = store.check([](const lmdb_problem& x) { give_up({ec::io_failed, to_string(x)}); });
    if (!found)
      give_up(found.error());
    check.push_back(static_cast<double>(found->bytes) / 1e6 / seconds_since(begin));
    begin = clock::now();
    auto name = directory / "copy.mdb";
    if (auto copied = store.copy(name, true); !copied)
      give_up(copied.error());
    copy.push_back(static_cast<double>(std::filesystem::file_size(name)) / 1e6
                   / seconds_since(begin));
    std::filesystem::remove(name);
  }
  print_row("LMDB: check", check, "MB/s", "at least 100");
  print_row("LMDB: compact copy, synced", copy, "MB/s", "");
  auto sizes = store.sizes();
  std::printf("file %.1f MB, in use %.1f MB\n", double(sizes.file) / 1e6, double(sizes.used) / 1e6);
}

} // namespace

int main(int count, char** arguments) {
  auto rows = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1'000'000;
  std::filesystem::path base = count > 2 ? arguments[2] : ".";
  auto path = base / "tables_bench.data";
  std::filesystem::remove_all(path);
  {
    auto directory = data_dir::open(path, open_mode::write);
    if (!directory)
      give_up(directory.error());
    auto store = open_lmdb_tables(*directory);
    if (!store)
      give_up(store.error());
    measure_writes("LMDB", **store, rows);
    measure_common("LMDB", **store, rows);
    measure_file(**store, path);
  }
  std::filesystem::remove_all(path);
  auto memory = memory_tables();
  measure_writes("memory", *memory, rows);
  measure_common("memory", *memory, rows);
}
