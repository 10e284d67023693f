#include "node/systemd.hpp"
#include "tests/support/service_manager.hpp"
#include "tests/support/temp_dir.hpp"

#include <atomic>

using namespace troupe::node;
using troupe::tests::service_manager;
using namespace std::chrono_literals;

TEST_CASE("the service manager is told by a path or a name", "[node]") {
  troupe::tests::temp_dir directory;
  for (auto address :
       {(directory.path() / "notify").string(), "@troupe-test-" + std::to_string(::getpid())}) {
    service_manager told{address};
    CHECK(notify_service_manager("READY=1"));
    CHECK(told.next() == "READY=1");
  }
}

TEST_CASE("without a service manager nobody is told", "[node]") {
  ::unsetenv("NOTIFY_SOCKET");
  CHECK_FALSE(notify_service_manager("READY=1"));
  ::setenv("NOTIFY_SOCKET", "relative", 1);
  CHECK_FALSE(notify_service_manager("READY=1"));
  ::setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
  CHECK_FALSE(notify_service_manager("READY=1"));
  ::unsetenv("NOTIFY_SOCKET");
  CHECK_FALSE(watchdog_time());
}

TEST_CASE("the watchdog is fed while the node is alive", "[node]") {
  service_manager told{"@troupe-watchdog-" + std::to_string(::getpid())};
  ::setenv("WATCHDOG_USEC", "2000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  {
    std::atomic<std::chrono::milliseconds> given{0ms};
    watchdog dog{[&](auto limit) {
      given = limit;
      return troupe::status{};
    }};
    CHECK(told.next() == "WATCHDOG=1");
    CHECK(told.next() == "WATCHDOG=1");
    CHECK(given.load() == 1ms); // Of the two that there are.
  }
  while (!told.silent())
    told.next();
  {
    watchdog dog{[](auto) {
      return troupe::status{troupe::error{troupe::ec::timed_out, "no shard answers"}};
    }};
    CHECK(told.next() == "STATUS=not well: no shard answers");
    CHECK(told.next() == "STATUS=not well: no shard answers");
  }
  while (!told.silent())
    told.next();
  {
    std::atomic<int> asked{0};
    watchdog dog{[&](auto) {
      return asked++ == 0 ? troupe::status{troupe::error{troupe::ec::timed_out, "late"}}
                          : troupe::status{};
    }};
    CHECK(told.next() == "STATUS=not well: late");
    CHECK(told.next() == "WATCHDOG=1\nSTATUS="); // It is well again.
    CHECK(told.next() == "WATCHDOG=1");
  }
  ::setenv("WATCHDOG_PID", "1", 1);
  CHECK_FALSE(watchdog_time());
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("WATCHDOG_USEC", "2s", 1);
  CHECK_FALSE(watchdog_time());
}
