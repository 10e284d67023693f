#include "core/output_release.hpp"
#include "tests/core/scene.hpp"

using namespace troupe;
using namespace troupe::tests;
using core::attempt_end;

namespace {

/// A job whose outputs lie in blobs, each loaded when it is recorded.
struct large_outputs {
  explicit large_outputs(const graph_spec& g) : all(compiled(g)) {
    all.move(core::job_request::start);
  }

  void end(core::vertex_index v, attempt_end outcome = attempt_end::succeeded) {
    auto result = scene::result_for(v, outcome, {});
    if (outcome == attempt_end::succeeded)
      result.output = {core::blob_ref{{std::uint8_t(v)}, 1 << 20},
                       std::make_shared<const value>(std::int64_t{v})};
    auto decided =
        core::decide_vertices_ended(all.live, {std::move(result)}, 1ms, all.now, all.random);
    core::transact(all.live, std::move(decided), all.now,
                   [this](auto& r, auto&) { release.after(all.live, r); });
  }

  /// The vertices whose outputs are in memory.
  std::vector<core::vertex_index> held() const {
    std::vector<core::vertex_index> found;
    for (core::vertex_index v = 0; v < all.live.plan->size(); ++v)
      if (auto& output = all.live.run->outputs[v]; output.blob() && output.loaded())
        found.push_back(v);
    return found;
  }

  scene all;
  core::output_release release;
};

using vertices = std::vector<core::vertex_index>;

} // namespace

TEST_CASE("a large output stays until the last vertex that reads it has ended", "[core][outputs]") {
  large_outputs x{fan_out(3)};
  x.end(0);
  x.end(2);
  x.end(1);
  CHECK(x.held() == vertices{0, 1, 2}); // Sinks are the result.
  CHECK(core::is_read_again(x.all.live, 0));
  x.end(3, attempt_end::failed);
  CHECK(x.held() == vertices{1, 2});
  CHECK_FALSE(core::is_read_again(x.all.live, 0));
  CHECK(x.all.live.run->outputs[0].blob()); // It can be loaded again.
}

TEST_CASE("a chain of large outputs holds two of them", "[core][outputs]") {
  large_outputs x{chain(50)};
  for (core::vertex_index v = 0; v < 50; ++v) {
    x.end(v);
    CHECK(x.held() == vertices{v});
  }
}

TEST_CASE("an output that the result names stays", "[core][outputs]") {
  auto g = chain(3);
  g.result = {"v0", "v2"};
  large_outputs x{g};
  for (core::vertex_index v = 0; v < 3; ++v)
    x.end(v);
  CHECK(x.held() == vertices{0, 2});
}

TEST_CASE("an output that only skipped vertices would have read goes at once", "[core][outputs]") {
  auto g = chain(3);
  g.edges.front().when = value::object{{"eq", "another"}};
  large_outputs x{g};
  x.end(0);
  CHECK(x.all.state(1) == core::vertex_state::skipped);
  CHECK(x.held().empty());
}

TEST_CASE("a job that has ended holds no large output", "[core][outputs]") {
  large_outputs x{fan_out(3)};
  for (core::vertex_index v = 0; v < 4; ++v)
    x.end(v);
  CHECK(x.held() == vertices{1, 2, 3});
  x.release.release_all(x.all.live);
  CHECK(x.held().empty());
}

TEST_CASE("a job that goes on from its records lets go of what nothing reads", "[core][outputs]") {
  large_outputs x{chain(4)};
  for (core::vertex_index v = 0; v < 3; ++v)
    x.end(v);
  auto again = x.all.live;
  for (core::vertex_index v = 0; v < 3; ++v)
    again.run->outputs[v] = {*again.run->outputs[v].blob(), std::make_shared<const value>(true)};
  core::output_release release{again};
  for (core::vertex_index v = 0; v < 3; ++v)
    CHECK(again.run->outputs[v].loaded() == (v == 2));
}
