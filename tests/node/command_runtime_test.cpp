#include "node/command_runtime.hpp"

#include "tests/support/catch.hpp"

using namespace troupe;

TEST_CASE("a command that opens a directory has no rule that deletes its jobs", "[node]") {
  auto config = node::command_runtime("data");
  CHECK(config.data_dir == "data");
  CHECK(config.hold_recovered);
  CHECK(config.queue_retention.empty());
  auto& all = config.retention;
  for (auto& limit : {all.completed, all.failed, all.cancelled, all.stopped}) {
    CHECK(limit.age == std::chrono::milliseconds::zero());
    CHECK(limit.bytes == 0);
  }
}
