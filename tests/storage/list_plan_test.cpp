#include "storage/list_plan.hpp"
#include "storage/snapshot_keys.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

using namespace troupe;
using namespace troupe::storage;

namespace {

constexpr core::shard_id here{3};
constexpr namespace_id first_space{0}, second_space{1};

/// Tables that hold counts and nothing else.
class counted_tables {
public:
  void count(namespace_id ns, const std::string& queue, core::job_state state, std::uint64_t jobs) {
    auto done = update(*tables_, [&](table_writer& to) {
      return to.put(table::totals, keys::total(here, {ns, queue}, state, false),
                    encode(job_count{jobs, jobs * 100}));
    });
    REQUIRE(done);
  }

  std::vector<index_walk> plan(const job_query& q) const {
    auto reader = tables_->read();
    REQUIRE(reader);
    auto found = plan_list({**reader, here}, q);
    REQUIRE(found);
    return *found;
  }

private:
  std::unique_ptr<table_store> tables_ = memory_tables();
};

job_query of_queue(const std::string& name) {
  job_query q;
  q.queue = name;
  return q;
}

using walks = std::vector<index_walk>;

} // namespace

TEST_CASE("a list of one queue walks its index in each namespace that has it", "[storage]") {
  counted_tables tables;
  tables.count(first_space, "mail", core::job_state::completed, 100);
  tables.count(first_space, "video", core::job_state::completed, 1000);
  CHECK(tables.plan(of_queue("mail"))
        == walks{{table::by_queue, keys::queue(here, {first_space, "mail"})}});

  tables.count(second_space, "mail", core::job_state::failed, 1);
  CHECK(tables.plan(of_queue("mail"))
        == walks{{table::by_queue, keys::queue(here, {first_space, "mail"})},
                 {table::by_queue, keys::queue(here, {second_space, "mail"})}});
}

TEST_CASE("a list of which a shard has no job walks nothing there", "[storage]") {
  counted_tables tables;
  tables.count(first_space, "mail", core::job_state::pending, 100);
  CHECK(tables.plan(of_queue("video")).empty());
  auto q = of_queue("mail");
  q.state = core::job_state::failed;
  CHECK(tables.plan(q).empty());
  q.state = core::job_state::pending;
  CHECK(tables.plan(q).size() == 1);
  q.ns = second_space;
  CHECK(tables.plan(q).empty());
}

TEST_CASE("a list walks the index with the fewest jobs", "[storage]") {
  counted_tables tables;
  tables.count(first_space, "mail", core::job_state::completed, 10'000);
  tables.count(first_space, "mail", core::job_state::failed, 10);
  tables.count(first_space, "video", core::job_state::failed, 100);
  auto q = of_queue("mail");
  q.state = core::job_state::failed;
  CHECK(tables.plan(q)
        == walks{{table::by_state, keys::state(here, first_space, core::job_state::failed)}});

  tables.count(first_space, "video", core::job_state::failed, 100'000);
  CHECK(tables.plan(q) == walks{{table::by_queue, keys::queue(here, {first_space, "mail"})}});

  q.state = core::job_state::completed; // Nearly all: their rows themselves are as few.
  tables.count(first_space, "video", core::job_state::failed, 100);
  CHECK(tables.plan(q) == walks{{table::done, keys::shard(here)}});
}

TEST_CASE("a label is looked up unless there are few jobs anyway", "[storage]") {
  counted_tables tables;
  tables.count(first_space, "mail", core::job_state::pending, 100'000);
  job_query q;
  q.labels["team"] = "red";
  auto by_label = walks{{table::by_label, keys::label(here, first_space, "team", "red")}};
  CHECK(tables.plan(q) == by_label);
  tables.count(first_space, "mail", core::job_state::pending, 10);
  CHECK(tables.plan(q)
        == walks{{table::live, keys::shard(here)}, {table::done, keys::shard(here)}});
}

TEST_CASE("with too many queues to count a list goes by what it names", "[storage]") {
  counted_tables tables;
  for (std::size_t i = 0; i <= limits::list_counts_max; ++i)
    tables.count(first_space, "queue" + std::to_string(i), core::job_state::completed, 10);
  auto q = of_queue("queue7");
  CHECK(tables.plan(q)
        == walks{{table::live, keys::shard(here)}, {table::done, keys::shard(here)}});
  q.ns = first_space;
  CHECK(tables.plan(q) == walks{{table::by_queue, keys::queue(here, {first_space, "queue7"})}});
}
