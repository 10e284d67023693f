#include "tests/e2e/node.hpp"
#include "tests/support/http_client.hpp"

#include <regex>

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr int many = 2000; ///< Requests whose lines are more than a pipe or a terminal holds.

/// A standard error whose other end the test has.
struct ends {
  int reader = -1, writer = -1;
  ~ends() {
    ::close(reader);
    ::close(writer);
  }

  /// Reads until this stands there; then no more.
  std::string read_until(const std::string& sign) const {
    std::string text;
    pollfd ready{reader, POLLIN, 0};
    auto patience_ms = static_cast<int>(std::chrono::milliseconds{patience}.count());
    char piece[4096];
    while (text.find(sign) == std::string::npos && ::poll(&ready, 1, patience_ms) == 1) {
      auto n = ::read(reader, piece, sizeof piece);
      REQUIRE(n > 0);
      text.append(piece, static_cast<std::size_t>(n));
    }
    REQUIRE(text.find(sign) != std::string::npos);
    return text;
  }
};

struct unread_pipe : ends {
  unread_pipe() {
    int both[2];
    REQUIRE(::pipe2(both, O_CLOEXEC) == 0);
    reader = both[0];
    writer = both[1];
  }
  /// Whether nothing more fits.
  bool is_full() const {
    pollfd ready{writer, POLLOUT, 0};
    return ::poll(&ready, 1, 0) == 0;
  }
};

struct unread_terminal : ends {
  unread_terminal() { REQUIRE(::openpty(&reader, &writer, nullptr, nullptr, nullptr) == 0); }
};

std::uint16_t port_in(const std::string& text) {
  const std::string sign = "http://127.0.0.1:";
  return static_cast<std::uint16_t>(std::stoi(text.substr(text.find(sign) + sign.size())));
}

/// Makes the node say more than anybody takes.
void flood(std::uint16_t port) {
  http_client c{port};
  for (int i = 0; i < many; ++i)
    REQUIRE(c.ask("GET", "/livez").status == 200);
}

void check_ends(process& node, std::uint16_t port) {
  node.send(SIGTERM);
  CHECK(node.wait().code == 0);
  CHECK_FALSE(http_client{port}.connected());
}

} // namespace

TEST_CASE("a node whose standard error nobody reads serves, and ends when asked", "[e2e][unread]") {
  scratch in;
  unread_pipe to;
  variable level{"TROUPE_LOG_LEVEL", "debug"};
  process node{in, {"serve", "--port", "0"}, {}, troupe_program, to.writer};
  auto port = port_in(to.read_until(", data in "));
  flood(port);
  REQUIRE(eventually([&] { return to.is_full(); }));
  check_ends(node, port);
}

TEST_CASE("troupe dev on a terminal that stands still ends when asked", "[e2e][unread]") {
  scratch in;
  unread_terminal to;
  variable level{"TROUPE_LOG_LEVEL", "debug"};
  process node{in, {"dev", "--port", "0"}, {}, troupe_program, to.writer};
  auto port = port_in(to.read_until("A graph of your own"));
  flood(port);
  check_ends(node, port);
}

TEST_CASE("whoever reads a node's log late gets whole lines, and how many are gone",
          "[e2e][unread]") {
  scratch in;
  unread_pipe to;
  variable level{"TROUPE_LOG_LEVEL", "debug"};
  process node{in, {"serve", "--port", "0"}, {}, troupe_program, to.writer};
  auto text = to.read_until(", data in ");
  auto port = port_in(text);
  for (int i = 0; i < 6; ++i)
    flood(port);
  text += to.read_until(" lines were dropped: their reader is too slow\n");
  node.send(SIGTERM);
  text += to.read_until("troupe: ending, ");
  CHECK(node.wait().code == 0);
  ::close(std::exchange(to.writer, -1));
  std::istringstream lines{text.substr(text.find(", data in "))};
  std::string line;
  std::getline(lines, line); // The rest of the line with the address.
  while (std::getline(lines, line)) {
    INFO(line);
    CHECK((line.starts_with("troupe: ending, ")
           || std::regex_match(line, std::regex{"[0-9T:.-]+Z (debug http|warn log): .*"})));
  }
}
