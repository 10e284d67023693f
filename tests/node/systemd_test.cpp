#include "node/systemd.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

/// The service manager's end of the socket.
struct manager : troupe::tests::temp_dir {
  int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);

  explicit manager(std::string address) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, address.data(), address.size());
    if (address[0] == '@')
      at.sun_path[0] = '\0';
    auto size = socklen_t(offsetof(sockaddr_un, sun_path) + address.size());
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0);
    ::setenv("NOTIFY_SOCKET", address.c_str(), 1);
  }
  ~manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
    ::close(fd);
  }

  std::string next() const {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, 60'000) != 1)
      return "nothing";
    char text[256];
    auto size = ::recv(fd, text, sizeof text, 0);
    return {text, std::size_t(size)};
  }
  bool silent() const {
    pollfd ready{fd, POLLIN, 0};
    return ::poll(&ready, 1, 0) == 0;
  }
};

} // namespace

TEST_CASE("the service manager is told by a path or a name", "[node]") {
  troupe::tests::temp_dir directory;
  for (auto address :
       {(directory.path() / "notify").string(), "@troupe-test-" + std::to_string(::getpid())}) {
    manager told{address};
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
  manager told{"@troupe-watchdog-" + std::to_string(::getpid())};
  ::setenv("WATCHDOG_USEC", "2000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  {
    watchdog dog{[] { return true; }};
    CHECK(told.next() == "WATCHDOG=1");
    CHECK(told.next() == "WATCHDOG=1");
  }
  while (!told.silent())
    told.next();
  {
    watchdog dog{[] { return false; }};
  }
  CHECK(told.silent());
  ::setenv("WATCHDOG_PID", "1", 1);
  CHECK_FALSE(watchdog_time());
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("WATCHDOG_USEC", "2s", 1);
  CHECK_FALSE(watchdog_time());
}
