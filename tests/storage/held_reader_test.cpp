#include "tests/storage/tables_fixture.hpp"

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;

namespace {

constexpr std::size_t rows = 50;
constexpr std::size_t row_bytes = 4000;

/// Writes every row anew, in one transaction.
void write_all(lmdb_fixture& x, int round) {
  REQUIRE(update(*x.store, [&](table_writer& to) -> status {
    for (std::size_t i = 0; i < rows; ++i)
      if (auto put = to.put(table::live, bytes_of("key" + std::to_string(i)),
                            core::bytes(row_bytes, static_cast<std::uint8_t>(round)));
          !put)
        return put;
    return {};
  }));
}

} // namespace

TEST_CASE(
    "a reader that holds a transaction is told of, sees its moment, and costs what is written",
    "[storage][tables]") {
  lmdb_fixture x;
  for (int round = 0; round < 20; ++round)
    write_all(x, 0);
  auto before = x.store->sizes().file;
  std::uint64_t most = 0;
  {
    auto held = x.store->read();
    REQUIRE(held);
    for (int round = 1; round <= 20; ++round) {
      write_all(x, round);
      CHECK(get(**held, table::live, "key7") == std::string(row_bytes, '\0'));
    }
    CHECK(x.store->readers().open == 1);
    CHECK(x.store->readers().oldest > std::chrono::steady_clock::duration::zero());
    most = x.store->sizes().file;
    CHECK(most > before);
    // Each row of each round, its share of a page, and the way to it; nothing more.
    CHECK(most < before + 20 * (rows * 2 * row_bytes + (64 << 10)));
  }
  CHECK(x.store->readers().open == 0);
  for (int round = 0; round < 40; ++round)
    write_all(x, round);
  CHECK(x.store->sizes().file <= most + rows * 2 * row_bytes); // Its pages are used again.
  CHECK(get(*x.store, table::live, "key7") == std::string(row_bytes, char(39)));
}
