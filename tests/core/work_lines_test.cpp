#include "core/work_lines.hpp"
#include "tests/support/catch.hpp"

using namespace troupe;
using namespace troupe::core;

TEST_CASE("what waits for workers leaves its line in the order in which it came", "[core][work]") {
  work_lines lines;
  work_place a{namespace_id{1}, "a"}, b{namespace_id{1}, "b"}, other{namespace_id{2}, "a"};
  job_id x{1, 1}, y{1, 2};
  CHECK(lines.offer(a, {y, 3}));
  CHECK(lines.offer(a, {x, 0}));
  CHECK(lines.offer(b, {x, 1}));
  CHECK_FALSE(lines.offer(a, {y, 3})); // It keeps its place.
  CHECK(lines.size() == 3);
  CHECK(lines.size(a) == 2);
  CHECK_FALSE(lines.take(other));
  CHECK(lines.take(a) == work_key{y, 3});
  CHECK_FALSE(lines.waits(y));
  CHECK(lines.waits(x));
  CHECK(lines.take(a) == work_key{x, 0});
  CHECK_FALSE(lines.take(a));
  CHECK(lines.take(b) == work_key{x, 1});
  CHECK(lines.size() == 0);
}

TEST_CASE("nothing of a job that is withdrawn waits any longer", "[core][work]") {
  work_lines lines;
  work_place a{{}, "a"}, b{{}, "b"};
  job_id x{1, 1}, y{1, 2}, z{1, 3};
  for (vertex_index v = 0; v < 3; ++v) {
    lines.offer(a, {x, v});
    lines.offer(v == 1 ? b : a, {y, v});
    lines.offer(b, {z, v});
  }
  lines.withdraw(y);
  CHECK_FALSE(lines.waits(y));
  CHECK(lines.size(a) == 3);
  CHECK(lines.size(b) == 3);
  CHECK(lines.size() == 6);
  lines.withdraw(y);
  CHECK(lines.offer(a, {y, 0}));
  for (vertex_index v = 0; v < 3; ++v)
    CHECK(lines.take(a) == work_key{x, v});
  CHECK(lines.take(a) == work_key{y, 0});
}
