#include "core/records.hpp"
#include "storage/salvage.hpp"
#include "storage/view.hpp"
#include "tests/storage/store_history.hpp"

#include <fcntl.h>

using namespace troupe;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t page_bytes = 4096;

using rows = std::map<std::pair<storage::table, core::bytes>, core::bytes>;

rows all_rows(storage::table_store& of) {
  rows all;
  auto reader = of.read();
  REQUIRE(reader);
  for (std::size_t i = 0; i < storage::tables; ++i) {
    auto in = storage::table(i);
    auto cursor = (*reader)->cursor(in);
    auto there = cursor->seek({});
    for (; there && *there; there = cursor->next())
      all[{in, {cursor->key().begin(), cursor->key().end()}}] = {cursor->value().begin(),
                                                                 cursor->value().end()};
    REQUIRE(there);
  }
  return all;
}

void write(const fs::path& data, const core::bytes& content) {
  auto to = storage::file::open(storage::system_files(), data / "snapshot/data.mdb", O_WRONLY);
  REQUIRE(to);
  REQUIRE(to->write(content, 0));
}

/// What is found must be what was there, and what is not must be told.
void check_found(const rows& before, const rows& found,
                 const std::vector<storage::lmdb_problem>& problems) {
  std::set<storage::table> told;
  for (auto& x : problems)
    if (x.in)
      told.insert(*x.in);
  for (auto& [key, value] : found) {
    auto old = before.find(key);
    REQUIRE(old != before.end());
    REQUIRE(old->second == value);
  }
  for (auto& [key, value] : before)
    if (!found.contains(key))
      REQUIRE(told.contains(key.first));
}

std::size_t count(const rows& in, storage::table x) {
  return static_cast<std::size_t>(
      std::ranges::count_if(in, [x](auto& row) { return row.first.first == x; }));
}

} // namespace

TEST_CASE("what is on the sound pages of a damaged snapshot can be read", "[storage][tables]") {
  temporary_directory temporary;
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  store_history history{temporary.path / "data", seed};
  history.run(400);
  history.apply_all();
  auto before = all_rows(history.tables());
  history.close();
  auto whole = *storage::read_file(storage::system_files(), history.path() / "snapshot/data.mdb");
  auto directory = storage::data_dir::open(history.path(), storage::open_mode::read);
  REQUIRE(directory);
  std::size_t salvaged = 0, refused = 0, most_jobs = 0;
  for (std::size_t at = 2 * page_bytes; at < whole->size(); at += page_bytes) {
    CAPTURE(at / page_bytes);
    auto damaged = *whole;
    for (std::size_t i = 0; i < page_bytes; ++i)
      damaged[at + i] ^= 0x5a;
    write(history.path(), damaged);
    std::vector<storage::lmdb_problem> problems;
    auto tables = storage::salvage_tables(*directory, [&](auto& x) { problems.push_back(x); });
    if (!tables) {
      REQUIRE(tables.code() == ec::journal_corrupt);
      ++refused;
    } else if (*tables) {
      auto found = all_rows(**tables);
      check_found(before, found, problems);
      CHECK(count(found, storage::table::meta) == count(before, storage::table::meta));
      most_jobs = std::max(most_jobs, count(before, storage::table::done)
                                          - count(found, storage::table::done));
      ++salvaged;
    } else {
      CHECK(problems.empty());
    }
  }
  CHECK(salvaged >= storage::tables);
  CHECK(refused > 0);
  CHECK(most_jobs > 0);
}

TEST_CASE("records of which some between others are lost are never told", "[storage][tables]") {
  constexpr std::uint64_t in_chunk = 3, chunks = 4;
  core::shard_id shard{};
  job_id id{1, 2};
  auto missing = GENERATE(range(0, 4));
  auto tables = storage::memory_tables();
  REQUIRE(update(*tables, [&](storage::table_writer& x) -> status {
    for (std::uint64_t i = 0; i < chunks; ++i) {
      core::bytes packed;
      for (std::uint64_t k = 0; k < in_chunk; ++k)
        core::encode({{},
                      shard,
                      id,
                      core::shard_time{core::duration(i * in_chunk + k)},
                      core::feature_level_raised{}},
                     packed);
      if (i != static_cast<std::uint64_t>(missing))
        if (auto put = x.put(storage::table::chunks, storage::keys::chunk(shard, id, i * in_chunk),
                             packed);
            !put)
          return put;
    }
    return {};
  }));
  auto reader = tables->read();
  REQUIRE(reader);
  auto lost = static_cast<std::uint64_t>(missing) * in_chunk;
  for (std::uint64_t from = 0; from < chunks * in_chunk; ++from) {
    auto next = from;
    auto take = [&](core::byte_view one) {
      return static_cast<bool>(core::decode(one, [&](core::record&& r) -> status {
        CHECK(r.at == core::shard_time{core::duration(next++)});
        return {};
      }));
    };
    (void)storage::snapshot_read{**reader, shard}.records(id, from, take);
    CHECK((next == from || next <= lost || from >= lost + in_chunk));
  }
}
