#include "tests/storage/tables_fixture.hpp"

#include "storage/table_row.hpp"

#include <iostream>
#include <thread>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;

namespace {

std::string random_text(std::mt19937_64& random, std::size_t size_min, std::size_t size_max) {
  std::string text(size_min + random() % (size_max - size_min + 1), 0);
  for (auto& c : text)
    c = static_cast<char>("\0ab\xff"[random() % 4]);
  return text;
}

/// Keys that are often the same, sometimes long.
std::string random_key(std::mt19937_64& random) {
  return random() % 20 == 0 ? random_text(random, 480, 500) : random_text(random, 1, 4);
}

std::string random_value(std::mt19937_64& random) {
  switch (random() % 40) {
  case 0: return random_text(random, 0, 0);
  case 1: return random_text(random, 10'000, 100'000);
  case 2: return random_text(random, 1900, 4200);
  default: return random_text(random, 0, 60);
  }
}

using models = std::array<model, tables>;

table_totals totals_of(const model& rows, table in) {
  table_totals found;
  for (auto& [key, value] : rows)
    add_row(found, in, bytes_of(key), bytes_of(value));
  return found;
}

void check_same(table_reader& reader, const models& expected) {
  for (std::size_t i = 0; i < tables; ++i) {
    auto& rows = expected[i];
    REQUIRE(rows_of(reader, table(i)) == rows);
    REQUIRE(rows_of(reader, table(i), false) == rows);
    REQUIRE(reader.totals(table(i)) == totals_of(rows, table(i)));
  }
}

/// Compares seeks from a random place, and a few steps to and fro, with the model.
void check_cursor(table_cursor& cursor, const model& rows, std::mt19937_64& random) {
  auto key = random_key(random);
  bool before = random() % 2;
  auto at = rows.lower_bound(key);
  auto found = before ? cursor.seek_before(bytes_of(key)) : cursor.seek(bytes_of(key));
  REQUIRE(found);
  bool there = before ? at != rows.begin() : at != rows.end();
  if (before && there)
    --at;
  for (int steps = 0; steps < 6; ++steps) {
    REQUIRE((found && *found == there));
    if (!there)
      return;
    REQUIRE(text_of(cursor.key()) == at->first);
    REQUIRE(text_of(cursor.value()) == at->second);
    bool forwards = random() % 2;
    found = forwards ? cursor.next() : cursor.previous();
    there = forwards ? ++at != rows.end() : at != rows.begin();
    if (!forwards && there)
      --at;
  }
}

/// One change, of tables and model.
void change(table_writer& writer, models& rows, std::mt19937_64& random) {
  auto in = random() % 5;
  auto key = random_key(random);
  if (random() % 3 == 0) {
    auto gone = writer.erase(table(in), bytes_of(key));
    REQUIRE((gone && *gone == (rows[in].erase(key) == 1)));
  } else {
    auto value = random_value(random);
    REQUIRE(writer.put(table(in), bytes_of(key), bytes_of(value)).code() == ec::none);
    rows[in][key] = value;
  }
}

} // namespace

TEST_CASE("tables are what a map is, in every order of operations", "[storage][tables]") {
  auto kind = every_kind();
  auto seed = std::random_device{}();
  std::cout << "tables (" << kind << "): seed " << seed << std::endl;
  std::mt19937_64 random{seed};
  tables_fixture store{kind};
  models rows;
  std::vector<std::pair<std::unique_ptr<table_reader>, models>> older;
  for (int round = 0; round < 150; ++round) {
    auto writer = store->write();
    REQUIRE(writer);
    auto changed = rows;
    for (auto n = random() % 40; n > 0; --n) {
      change(**writer, changed, random);
      auto in = random() % 5;
      check_cursor(*(*writer)->cursor(table(in)), changed[in], random);
    }
    if (random() % 4 != 0) {
      REQUIRE((*writer)->commit().code() == ec::none);
      rows = changed;
    }
    writer->reset();
    auto reader = store->read();
    REQUIRE(reader);
    if (random() % 10 == 0)
      check_same(**reader, rows);
    for (int i = 0; i < 5; ++i)
      check_cursor(*(*reader)->cursor(table(i)), rows[i], random);
    if (random() % 8 == 0)
      older.emplace_back(std::move(*reader), rows);
    if (older.size() > 4)
      older.erase(older.begin());
  }
  for (auto& [reader, then] : older)
    check_same(*reader, then);
}

TEST_CASE("a reader sees the moment when it began", "[storage][tables]") {
  tables_fixture store{every_kind()};
  put(*store, table::live, "a", "1");
  auto before = store->read();
  REQUIRE(before);
  auto cursor = (*before)->cursor(table::live);
  auto writer = store->write();
  REQUIRE(writer);
  REQUIRE((*writer)->put(table::live, bytes_of("a"), bytes_of("2")).code() == ec::none);
  REQUIRE((*writer)->put(table::live, bytes_of("b"), bytes_of("2")).code() == ec::none);
  CHECK(get(**writer, table::live, "a") == "2");
  CHECK(get(*store, table::live, "a") == "1");
  REQUIRE((*writer)->commit().code() == ec::none);
  CHECK(get(**before, table::live, "a") == "1");
  CHECK((*before)->totals(table::live).rows == 1);
  CHECK(rows_of(**before, table::live) == model{{"a", "1"}});
  CHECK(rows_of(*store, table::live) == model{{"a", "2"}, {"b", "2"}});
}

TEST_CASE("a transaction that is not committed changes nothing", "[storage][tables]") {
  tables_fixture store{every_kind()};
  put(*store, table::live, "a", "1");
  {
    auto writer = store->write();
    REQUIRE(writer);
    REQUIRE((*writer)->put(table::live, bytes_of("b"), bytes_of("2")).code() == ec::none);
    REQUIRE((*writer)->erase(table::live, bytes_of("a")));
    CHECK(rows_of(**writer, table::live) == model{{"b", "2"}});
    CHECK((*writer)->totals(table::live).rows == 1);
  }
  CHECK(rows_of(*store, table::live) == model{{"a", "1"}});
  put(*store, table::live, "c", "3");
  CHECK(rows_of(*store, table::live) == model{{"a", "1"}, {"c", "3"}});
}

TEST_CASE("tables do not share keys", "[storage][tables]") {
  tables_fixture store{every_kind()};
  for (std::size_t i = 0; i < tables; ++i)
    put(*store, table(i), "key", to_string(table(i)));
  erase(*store, table::done, "key");
  for (std::size_t i = 0; i < tables; ++i)
    CHECK(get(*store, table(i), "key") == (table(i) == table::done ? "none" : to_string(table(i))));
}

TEST_CASE("keys have 1 to 500 bytes, others are refused and found nowhere", "[storage][tables]") {
  tables_fixture store{every_kind()};
  auto writer = store->write();
  REQUIRE(writer);
  std::string longest(500, 'x');
  REQUIRE((*writer)->put(table::rows, bytes_of(longest), bytes_of("long")).code() == ec::none);
  REQUIRE((*writer)->put(table::rows, bytes_of("x"), bytes_of("short")).code() == ec::none);
  for (std::size_t size : {501, 511, 512, 5000})
    CHECK((*writer)->put(table::rows, core::bytes(size, 'x'), {}).code() == ec::too_large);
  CHECK((*writer)->put(table::rows, {}, {}).code() == ec::invalid_spec);
  REQUIRE((*writer)->commit().code() == ec::none);
  CHECK(get(*store, table::rows, longest) == "long");
  CHECK(get(*store, table::rows, longest + "x") == "none");
  CHECK(get(*store, table::rows, "") == "none");
  CHECK(rows_of(*store, table::rows).size() == 2);
  auto reader = store->read();
  auto cursor = (*reader)->cursor(table::rows);
  CHECK(*cursor->seek(core::bytes(600, 'w')));
  CHECK_FALSE(*cursor->seek(core::bytes(600, 'x')));
  CHECK(*cursor->seek_before(core::bytes(600, 'x')));
  CHECK(text_of(cursor->value()) == "long");
}

TEST_CASE("values of many megabytes are kept", "[storage][tables]") {
  tables_fixture store{every_kind()};
  std::string large(10 << 20, 'x');
  large[5 << 20] = 'y';
  put(*store, table::graphs, "a", large);
  put(*store, table::graphs, "b", "small");
  CHECK(get(*store, table::graphs, "a") == large);
  put(*store, table::graphs, "a", "small, too");
  CHECK(rows_of(*store, table::graphs) == model{{"a", "small, too"}, {"b", "small"}});
}

TEST_CASE("a cursor goes on from its row's key after changes", "[storage][tables]") {
  tables_fixture store{every_kind()};
  auto writer = store->write();
  REQUIRE(writer);
  auto& rows = **writer;
  for (auto key : {"a", "c", "e", "g"})
    REQUIRE(rows.put(table::live, bytes_of(key), {}).code() == ec::none);
  auto cursor = rows.cursor(table::live);
  REQUIRE(*cursor->seek(bytes_of("c")));
  REQUIRE(*rows.erase(table::live, bytes_of("c")));
  REQUIRE(rows.put(table::live, bytes_of("d"), {}).code() == ec::none);
  CHECK(*cursor->next());
  CHECK(text_of(cursor->key()) == "d");
  REQUIRE(*rows.erase(table::live, bytes_of("d")));
  CHECK(*cursor->previous());
  CHECK(text_of(cursor->key()) == "a");
  REQUIRE(*rows.erase(table::live, bytes_of("a")));
  CHECK_FALSE(*cursor->previous());
  CHECK_FALSE(*cursor->next()); // Only `seek` helps at the end.
  CHECK(*cursor->seek({}));
  CHECK(text_of(cursor->key()) == "e");
}

TEST_CASE("rows can be put from rows of the same transaction", "[storage][tables]") {
  tables_fixture store{every_kind()};
  core::bytes text(1500, 'x');
  put(*store, table::live, "from", text_of(text));
  auto writer = store->write();
  REQUIRE(writer);
  for (int i = 0; i < 50; ++i) {
    auto cursor = (*writer)->cursor(table::live);
    REQUIRE(*cursor->seek(bytes_of("from")));
    auto key = bytes_of("a" + std::to_string(i));
    REQUIRE((*writer)->put(table::live, key, cursor->value()).code() == ec::none);
    auto again = (*writer)->cursor(table::live);
    REQUIRE(*again->seek(key));
    REQUIRE((*writer)->put(table::done, again->key(), again->value()).code() == ec::none);
    REQUIRE(*cursor->seek(bytes_of("from")));
    REQUIRE(*(*writer)->erase(table::live, cursor->key()));
    REQUIRE((*writer)->put(table::live, bytes_of("from"), text).code() == ec::none);
  }
  REQUIRE((*writer)->commit().code() == ec::none);
  for (auto& [key, value] : rows_of(*store, table::done))
    REQUIRE(value == text_of(text));
  CHECK(rows_of(*store, table::live).size() == 51);
}

TEST_CASE("writers wait for each other, readers do not wait", "[storage][tables]") {
  tables_fixture store{every_kind()};
  put(*store, table::meta, "n", "0");
  auto count = [&] {
    for (int i = 0; i < 100; ++i) {
      auto done = update(*store, [](table_writer& x) {
        auto n = std::stoi(text_of(**x.get(table::meta, bytes_of("n"))));
        return x.put(table::meta, bytes_of("n"), bytes_of(std::to_string(n + 1)));
      });
      if (!done)
        std::abort();
    }
  };
  std::vector<std::jthread> all;
  for (int i = 0; i < 4; ++i)
    all.emplace_back(count);
  std::jthread reads{[&] {
    for (int last = 0; last < 400;) {
      auto now = std::stoi(get(*store, table::meta, "n"));
      if (now < last)
        std::abort();
      last = now;
    }
  }};
  all.clear();
  reads.join();
  CHECK(get(*store, table::meta, "n") == "400");
}

TEST_CASE("a transaction may end on a thread that did not begin to read", "[storage][tables]") {
  tables_fixture store{every_kind()};
  put(*store, table::meta, "a", "1");
  auto reader = store->read();
  REQUIRE(reader);
  std::jthread{[x = std::move(*reader)]() mutable {
    if (get(*x, table::meta, "a") != "1")
      std::abort();
    x.reset();
  }}.join();
  CHECK(get(*store, table::meta, "a") == "1");
}

TEST_CASE("an update whose change fails changes nothing", "[storage][tables]") {
  tables_fixture store{every_kind()};
  int runs = 0;
  auto done = update(*store, [&](table_writer& x) -> status {
    ++runs;
    REQUIRE(x.put(table::meta, bytes_of("a"), {}).code() == ec::none);
    return ec::overloaded;
  });
  CHECK(done.code() == ec::overloaded);
  CHECK(runs == 1);
  CHECK(rows_of(*store, table::meta).empty());
}

TEST_CASE("the digest of a row never changes", "[storage][tables]") {
  CHECK(row_digest(table::live, bytes_of("key"), bytes_of("some value")) == 0xc8e0'61f9'4b4e'a6d4);
  CHECK(row_digest(table::done, {}, {}) == 0xb011'5792'e2df'81ce);
  CHECK(row_checksum(1, bytes_of("key"), bytes_of("value")) == 0x019e'80e9);
  CHECK(row_digest(table::live, bytes_of("ab"), bytes_of("c"))
        != row_digest(table::live, bytes_of("a"), bytes_of("bc")));
}
