#include "actors/job_book.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/lone_shard.hpp"

using namespace troupe;
using namespace troupe::actors;
using core::job_request;

TEST_CASE("a group is full by the bytes that it has, however large its records are",
          "[actors][bounds]") {
  constexpr auto full = limits::record_group_bytes_max / 2;
  auto reason = GENERATE(std::size_t{0}, std::size_t{100}, limits::reason_bytes_max);
  CAPTURE(reason);
  tests::lone_shard shard;
  job_book book{shard.context, core::job{}};
  std::size_t largest = 0;
  auto on = job_request::pause;
  while (!book.is_full()) {
    auto before = book.group().size();
    auto moved = core::decide_move(book.job(), on, std::string(reason, 'x'), book.now());
    REQUIRE(moved);
    book.take(std::move(*moved));
    largest = std::max(largest, book.group().size() - before);
    on = on == job_request::pause ? job_request::resume : job_request::pause;
  }
  CHECK(largest > reason);
  CHECK(book.group().size() >= full);
  CHECK(book.group().size() < full + largest);
  book.flush();
  CHECK(shard.context->log->state());
  CHECK(book.group().empty());
  CHECK_FALSE(book.is_full(full - 1));
  CHECK(book.is_full(full));
}

TEST_CASE("a book lets go of large outputs that its job reads no more", "[actors][outputs]") {
  tests::lone_shard shard;
  core::job x;
  x.plan = tests::compiled(tests::chain(3));
  job_book book{shard.context, std::move(x)};
  book.take(*core::decide_move(book.job(), job_request::start, "", book.now()));
  core::random_bits random = [] { return std::uint64_t{1}; };
  for (core::vertex_index v = 0; v < 2; ++v) {
    core::payload output{core::blob_ref{{}, 1}, std::make_shared<const value>("large")};
    book.take(core::decide_vertices_ended(
        book.job(), {{v, core::attempt_end::succeeded, std::move(output), {}}}, {}, book.now(),
        random));
  }
  CHECK_FALSE(book.job().run->outputs[0].loaded());
  CHECK(book.job().run->outputs[1].loaded());
}
