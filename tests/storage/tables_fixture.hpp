#pragma once

#include "storage/lmdb_tables.hpp"
#include "tests/storage/storage_fixture.hpp"

#include <map>
#include <random>

namespace troupe::test {

using storage::table;
using storage::table_totals;

inline core::bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }
inline std::string text_of(core::byte_view x) { return {x.begin(), x.end()}; }

/// A data directory and its snapshot, opened for writing; can be closed and opened again.
struct lmdb_fixture {
  temporary_directory temporary;
  std::optional<storage::data_dir> directory;
  std::unique_ptr<storage::lmdb_tables> store;

  lmdb_fixture() { REQUIRE(open().code() == ec::none); }

  result<bool> open(const storage::lmdb_options& options = {},
                    storage::open_mode mode = storage::open_mode::write) {
    close();
    auto opened = storage::data_dir::open(temporary.path, mode);
    if (!opened)
      return opened.error();
    directory = std::move(*opened);
    auto made = storage::open_lmdb_tables(*directory, options);
    if (!made)
      return made.error();
    store = std::move(*made);
    return true;
  }
  void close() {
    store.reset();
    directory.reset();
  }
  std::filesystem::path file() const { return temporary.path / "snapshot" / "data.mdb"; }
};

/// One of the implementations of tables.
struct tables_fixture {
  std::optional<lmdb_fixture> lmdb;
  std::unique_ptr<storage::table_store> memory;

  explicit tables_fixture(const std::string& kind) {
    if (kind == "lmdb")
      lmdb.emplace();
    else
      memory = storage::memory_tables();
  }
  storage::table_store& operator*() const { return lmdb ? *lmdb->store : *memory; }
  storage::table_store* operator->() const { return &**this; }
};

inline auto every_kind() { return GENERATE(as<std::string>{}, "memory", "lmdb"); }

inline void put(storage::table_store& to, table in, std::string_view key, std::string_view value) {
  auto done = storage::update(
      to, [&](storage::table_writer& x) { return x.put(in, bytes_of(key), bytes_of(value)); });
  INFO(done.error().detail);
  REQUIRE(done.code() == ec::none);
}

inline void erase(storage::table_store& from, table in, std::string_view key) {
  REQUIRE(storage::update(from,
                          [&](storage::table_writer& x) -> status {
                            auto done = x.erase(in, bytes_of(key));
                            return done ? status{} : done.error();
                          })
              .code()
          == ec::none);
}

/// The value of a key, `none` if there is no such row, or the name of the error.
inline std::string get(storage::table_reader& from, table in, std::string_view key) {
  auto found = from.get(in, bytes_of(key));
  if (!found)
    return to_string(found.code());
  return *found ? text_of(**found) : "none";
}

inline std::string get(storage::table_store& from, table in, std::string_view key) {
  auto reader = from.read();
  return reader ? get(**reader, in, key) : to_string(reader.code());
}

using model = std::map<std::string, std::string>;

/// All rows of a table, forwards or backwards; an error is a row of its own.
inline model rows_of(storage::table_reader& from, table in, bool forwards = true) {
  model found;
  auto cursor = from.cursor(in);
  auto there = forwards ? cursor->seek({}) : cursor->seek_before(core::bytes(501, 255));
  std::string last;
  while (there && *there) {
    auto key = text_of(cursor->key());
    if (!found.empty() && (forwards ? key <= last : key >= last))
      return {{"out of order", key}};
    found[last = key] = text_of(cursor->value());
    there = forwards ? cursor->next() : cursor->previous();
  }
  if (!there)
    return {{"error", to_string(there.code())}};
  return found;
}

inline model rows_of(storage::table_store& from, table in) {
  auto reader = from.read();
  REQUIRE(reader);
  return rows_of(**reader, in);
}

} // namespace troupe::test
