#include "storage/snapshot.hpp"
#include "storage/snapshot_read.hpp"
#include "tests/storage/view_model.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;

namespace {

using row_name = std::pair<table, core::bytes>;

/// How often each row was put and erased since `clear`.
struct row_changes {
  std::map<row_name, int> puts, erases;

  std::size_t puts_into(table in) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(puts, [=](auto& x) { return x.first.first == in; }));
  }
};

core::bytes copy_of(core::byte_view x) { return {x.begin(), x.end()}; }

/// A transaction that counts what it is asked to change.
class counting_writer final : public table_writer {
public:
  counting_writer(std::unique_ptr<table_writer> below, row_changes& seen)
      : below_(std::move(below)), seen_(seen) {}

  result<std::optional<core::byte_view>> get(table from, core::byte_view key) override {
    return below_->get(from, key);
  }
  std::unique_ptr<table_cursor> cursor(table in) override { return below_->cursor(in); }
  table_totals totals(table of) override { return below_->totals(of); }
  status put(table to, core::byte_view key, core::byte_view value) override {
    ++seen_.puts[{to, copy_of(key)}];
    return below_->put(to, key, value);
  }
  result<bool> erase(table from, core::byte_view key) override {
    ++seen_.erases[{from, copy_of(key)}];
    return below_->erase(from, key);
  }
  status commit() override { return below_->commit(); }

private:
  std::unique_ptr<table_writer> below_;
  row_changes& seen_;
};

/// Tables in memory whose changes are counted.
class counting_store final : public table_store {
public:
  result<std::unique_ptr<table_reader>> read() override { return below_->read(); }
  result<std::unique_ptr<table_writer>> write() override {
    auto writer = below_->write();
    REQUIRE(writer);
    return std::unique_ptr<table_writer>{new counting_writer{std::move(*writer), seen}};
  }

  row_changes seen;

private:
  std::unique_ptr<table_store> below_ = memory_tables();
};

constexpr core::shard_id shard{2};
constexpr core::shard_time now{std::chrono::hours{24 * 365 * 50}};

/// Successive batches of one shard, of records that a test chooses.
class written {
public:
  /// The next batch.
  void add(const std::vector<core::record>& records) {
    core::bytes data;
    for (auto& r : records)
      core::encode(r, data);
    window_.batches.push_back(
        {core::epoch{1}, ++at_, now, std::make_shared<const core::bytes>(std::move(data))});
  }

  /// Takes all that was added since the last time into the tables.
  void apply(table_store& to) {
    REQUIRE(apply_windows(to, {&window_, 1}));
    window_.batches.clear();
  }

private:
  core::position at_ = 0;
  shard_window window_{shard, {}};
};

job_id job(std::uint64_t n) { return {n << 16 | 0x7000, 1ull << 63 | n << 40}; }

core::record of(std::uint64_t n, core::record_body body) {
  return {{}, shard, job(n), now, std::move(body)};
}

core::job_added spec() {
  core::job_added x;
  x.queue = "q";
  x.labels["team"] = "red";
  x.idempotency_key = "key";
  x.request_digest = {1};
  return x;
}

core::job_moved move(core::job_state from, core::job_state to) { return {from, to, {}, {}}; }

const auto starts = move(core::job_state::pending, core::job_state::running);
const auto completes = move(core::job_state::running, core::job_state::completed);

core::vertices_ended output() {
  return {{{0, core::attempt_end::succeeded, {}, {}, core::payload{value{"x"}}, {}, {}}}};
}

void check_once(const row_changes& x) {
  for (auto& [name, times] : x.puts) {
    INFO(to_string(name.first));
    CHECK(times == 1);
  }
}

} // namespace

TEST_CASE("a job born and ended in one window is written once", "[storage][snapshot]") {
  counting_store tables;
  written all;
  all.add({of(1, spec())});
  all.add({of(1, starts)});
  all.add({of(1, output())});
  all.add({of(1, output()), of(1, completes)});
  all.apply(tables);
  check_once(tables.seen);
  CHECK(tables.seen.puts_into(table::live) == 0); // It was never there.
  for (auto once : {table::done, table::chunks, table::by_state, table::by_queue, table::by_label,
                    table::by_end, table::graphs, table::totals, table::meta}) {
    INFO(to_string(once));
    CHECK(tables.seen.puts_into(once) == 1);
  }
  CHECK(tables.seen.puts_into(table::idempotency) == 2); // The key, and when it is free again.
  CHECK(tables.seen.erases.empty());
}

TEST_CASE("a job born and deleted in one window leaves only the key of its request",
          "[storage][snapshot]") {
  counting_store tables;
  written all;
  all.add({of(1, spec()), of(1, starts), of(1, completes)});
  all.add({of(1, core::job_deleted{"purge"})});
  all.apply(tables);
  check_once(tables.seen);
  CHECK(tables.seen.puts_into(table::idempotency) == 2);
  CHECK(tables.seen.puts_into(table::meta) == 1);
  CHECK(tables.seen.puts.size() == 3);
}

TEST_CASE("many steps of one job in a window are one row and one chunk", "[storage][snapshot]") {
  counting_store tables;
  written all;
  all.add({of(1, spec()), of(1, starts)});
  all.apply(tables);
  tables.seen = {};
  for (int i = 0; i < 50; ++i)
    all.add({of(1, output())});
  all.apply(tables);
  check_once(tables.seen);
  CHECK(tables.seen.puts_into(table::live) == 1);
  CHECK(tables.seen.puts_into(table::chunks) == 1);
  for (auto untouched : {table::by_queue, table::by_label, table::by_state, table::by_end}) {
    INFO(to_string(untouched));
    CHECK(tables.seen.puts_into(untouched) == 0);
  }
}

TEST_CASE("no row is written twice by one window, whatever is in it", "[storage][snapshot]") {
  auto seed = GENERATE(take(1, random(1, 1 << 30)));
  CAPTURE(seed);
  counting_store tables;
  shard_model model;
  random_shard random{static_cast<std::uint64_t>(seed), shard};
  for (int round = 0; round < 40; ++round) {
    shard_window window{shard, {}};
    for (auto left = 1 + random.below(30); left > 0; --left) {
      auto x = random.next(model);
      window.batches.push_back(
          {x.epoch, x.at, x.time, std::make_shared<const core::bytes>(x.records)});
    }
    tables.seen = {};
    REQUIRE(apply_windows(tables, {&window, 1}));
    for (auto& [name, times] : tables.seen.puts) {
      INFO(to_string(name.first));
      if (name.first != table::idempotency) // Two jobs may have had the same key.
        CHECK(times == 1);
    }
  }
}
