#include "node/http/shared_run.hpp"

#include "tests/support/catch.hpp"

using namespace troupe;
using namespace troupe::http;

namespace {

using run = shared_run<int>;

/// Runs that the test ends.
struct fixture {
  std::vector<run::round_ptr> begun;
  std::vector<int> told; ///< -1: nothing could be told.
  std::shared_ptr<run> all = made(std::chrono::hours{1});

  std::shared_ptr<run> made(std::chrono::steady_clock::duration patience) {
    return std::make_shared<run>([this](run::round_ptr x) { begun.push_back(std::move(x)); },
                                 patience);
  }
  bool ask() {
    return all->ask([this](const result<int>& x) { told.push_back(x ? *x : -1); });
  }
  void answer(int x) {
    auto ended = std::exchange(begun, {});
    REQUIRE(ended.size() == 1);
    ended.front()->answer = x;
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "who asks while a run goes on shares the next one", "[http][pool]") {
  CHECK(ask());
  for (int i = 0; i < 3; ++i)
    CHECK(ask());
  answer(1);
  CHECK(told == std::vector{1});
  answer(2);
  CHECK(told == std::vector{1, 2, 2, 2});
  CHECK(begun.empty());
  CHECK(ask());
  answer(3);
  CHECK(told.back() == 3);
}

TEST_CASE_METHOD(fixture, "a run that is dropped is told, and others can follow", "[http][pool]") {
  CHECK(ask());
  CHECK(ask());
  std::exchange(begun, {}).clear();
  CHECK(told == std::vector{-1});
  answer(1);
  CHECK(told == std::vector{-1, 1});
}

TEST_CASE_METHOD(fixture, "nobody waits behind a run that takes too long", "[http][pool]") {
  all = made(std::chrono::steady_clock::duration{-1});
  CHECK(ask());
  CHECK_FALSE(ask());
  answer(1);
  CHECK(told == std::vector{1});
  CHECK(ask());
  answer(2);
}
