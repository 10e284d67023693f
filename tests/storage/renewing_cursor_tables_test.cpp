#include "storage/renewing_cursor.hpp"
#include "tests/storage/tables_fixture.hpp"

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

struct simulated_time {
  std::chrono::steady_clock::time_point now{};
  auto source() {
    return [this] { return now; };
  }
};

void fill(table_store& store) {
  REQUIRE(update(store,
                 [](table_writer& x) {
                   for (char c = 'a'; c <= 'z'; ++c)
                     if (auto done = x.put(table::live, bytes_of(std::string(1, c)), {}); !done)
                       return done;
                   return status{};
                 })
              .code()
          == ec::none);
}

std::string walk(renewing_cursor& cursor, result<bool> there, bool forwards,
                 const std::function<void()>& between) {
  std::string keys;
  for (; there && *there; there = forwards ? cursor.next() : cursor.previous()) {
    keys += text_of(cursor.key());
    between();
  }
  return there ? keys : to_string(there.code());
}

const std::string letters = "abcdefghijklmnopqrstuvwxyz";

} // namespace

TEST_CASE("a long walk renews its transaction and misses nothing", "[storage][tables]") {
  tables_fixture store{every_kind()};
  fill(*store);
  simulated_time time;
  auto step = GENERATE(0ms, 100ms, 400ms, 5000ms);
  auto pass = [&] { time.now += step; };
  {
    renewing_cursor cursor{*store, table::live, time.source()};
    CHECK(walk(cursor, cursor.seek({}), true, pass) == letters);
    CHECK(cursor.transactions() == (step == 0ms ? 1 : step == 100ms ? 3 : step == 400ms ? 9 : 27));
  }
  renewing_cursor cursor{*store, table::live, time.source()};
  CHECK(walk(cursor, cursor.seek_before(bytes_of("~")), false, pass)
        == std::string(letters.rbegin(), letters.rend()));
}

TEST_CASE("a walk goes on where rows come and go", "[storage][tables]") {
  tables_fixture store{every_kind()};
  fill(*store);
  simulated_time time;
  renewing_cursor cursor{*store, table::live, time.source()};
  REQUIRE(*cursor.seek(bytes_of("k")));
  erase(*store, table::live, "k");
  put(*store, table::live, "kk", "new");
  time.now += 2s;
  REQUIRE(*cursor.next());
  CHECK(text_of(cursor.key()) == "kk");
  erase(*store, table::live, "kk");
  time.now += 2s;
  REQUIRE(*cursor.previous());
  CHECK(text_of(cursor.key()) == "j");
}

TEST_CASE("a walk that let go holds no transaction, and goes on", "[storage][tables]") {
  lmdb_fixture x;
  fill(*x.store);
  renewing_cursor cursor{*x.store, table::live};
  REQUIRE(*cursor.seek(bytes_of("c")));
  CHECK(x.store->readers().open == 1);
  cursor.let_go();
  CHECK(x.store->readers().open == 0);
  REQUIRE(*cursor.next());
  CHECK(text_of(cursor.key()) == "d");
  REQUIRE(*cursor.seek_before(bytes_of("a")) == false);
  CHECK(*cursor.next() == false);
}
