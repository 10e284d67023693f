#include "graph_json/value_json.hpp"
#include "node/logging/line_output.hpp"
#include "node/logging/log.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <climits>
#include <fcntl.h>
#include <memory>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace troupe;
using namespace troupe::node;

namespace {

constexpr auto time_text = "2026-01-31T12:00:00.250Z";

struct fixture : tests::temp_dir {
  std::string name = path() / "log";
  std::FILE* file = std::fopen(name.c_str(), "w");

  ~fixture() { std::fclose(file); }

  std::vector<std::string> lines() {
    std::vector<std::string> all;
    auto text = tests::read_file(name);
    for (std::size_t at = 0; at < text.size();) {
      auto end = text.find('\n', at);
      all.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return all;
  }
};

/// Two descriptors, of which one is written to and the other read from, or not.
struct ends {
  int from = -1, to = -1;

  static ends of_pipe() {
    int both[2];
    REQUIRE(::pipe2(both, O_CLOEXEC) == 0);
    return {both[0], both[1]};
  }
  static ends of_socket() {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
    return {both[0], both[1]};
  }
  ends(int reader, int writer) : from(reader), to(writer) {}
  ends(ends&& x) : from(std::exchange(x.from, -1)), to(std::exchange(x.to, -1)) {}
  ~ends() {
    ::close(from);
    end();
  }
  void end() { ::close(std::exchange(to, -1)); }

  /// All that is written, in pieces, until the end.
  std::string read_all() const {
    std::string text, piece(1000, ' ');
    for (ssize_t n; (n = ::read(from, piece.data(), piece.size())) > 0;)
      text.append(piece, 0, static_cast<std::size_t>(n));
    return text;
  }
};

bool never() { return false; }
bool at_once() { return true; }

} // namespace

TEST_CASE("a line of text has time, level, module, message and fields", "[logging]") {
  CHECK(log_line(log_format::text, time_text, log_level::warn, "http", "a reader is slow",
                 {{"job", "0198c0de"}, {"request", "a b"}})
        == "2026-01-31T12:00:00.250Z warn http: a reader is slow job=0198c0de request=\"a b\"");
}

TEST_CASE("a line of JSON is an object of texts", "[logging]") {
  auto line = log_line(log_format::json, time_text, log_level::error, "store", "a \"b\"\n\x01",
                       {{"job", "0198c0de"}});
  CHECK(line.find('\n') == line.npos);
  auto x = graph_json::parse_value(line);
  REQUIRE(x);
  CHECK(*x
        == value{value::object{{"time", time_text},
                               {"level", "error"},
                               {"module", "store"},
                               {"message", "a \"b\"\n\x01"},
                               {"job", "0198c0de"}}});
}

TEST_CASE("what is not known is left out of a line", "[logging]") {
  for (auto how : {log_format::text, log_format::json}) {
    auto line =
        log_line(how, time_text, log_level::info, "a", "b", {{"job", ""}, {"request", "r1"}});
    CHECK(line.find("job") == line.npos);
    CHECK(line.find("r1") != line.npos);
  }
}

TEST_CASE("a message cannot begin a line of its own", "[logging]") {
  for (auto how : {log_format::text, log_format::json}) {
    auto line = log_line(how, time_text, log_level::info, "a", "x\n2026 error b: forged",
                         {{"job", "\r\ny"}});
    CHECK(line.find_first_of("\r\n") == line.npos);
  }
}

TEST_CASE("no line holds the secret of a key", "[logging]") {
  auto key = "trp_0a1b2c3d_" + std::string(43, 'S');
  for (auto how : {log_format::text, log_format::json})
    CHECK(log_line(how, time_text, log_level::info, "a", key, {{"key", key}}).find("SSS")
          == std::string::npos);
}

TEST_CASE_METHOD(fixture, "a module's own level goes before the usual one", "[logging]") {
  {
    node::log log{
        log_format::text, {log_level::info, {{"http", log_level::debug}}}, ::fileno(file)};
    log.say(log_level::debug, "http", "one");
    log.say(log_level::debug, "store", "no");
    log.say(log_level::info, "store", "two");
    log.set_levels({log_level::error, {}});
    CHECK_FALSE(log.wants(log_level::warn, "http"));
    log.say(log_level::warn, "http", "no");
    log.say(log_level::error, "http", "three");
    log.set_levels({log_level::off, {}});
    log.say(log_level::error, "http", "no");
  }
  auto all = lines();
  REQUIRE(all.size() == 3);
  CHECK(all[0].ends_with(" debug http: one"));
  CHECK(all[1].ends_with(" info store: two"));
  CHECK(all[2].ends_with(" error http: three"));
  CHECK(all[0].substr(10, 1) == "T");
  CHECK(all[0].substr(23, 1) == "Z");
}

TEST_CASE_METHOD(fixture, "lines of several threads are whole", "[logging]") {
  {
    node::log log{log_format::json, {}, ::fileno(file)};
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i)
          log.say(log_level::info, "m", "message", {{"n", std::to_string(i)}});
      });
  }
  CHECK(lines().size() == 800);
  for (auto& line : lines())
    CHECK(graph_json::parse_value(line));
}

TEST_CASE("a reader that does not read blocks nobody, and lines are dropped", "[logging]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  auto log = std::make_unique<node::log>(log_format::text, log_levels_of{}, ends[1]);
  std::string text(1000, 'x');
  for (std::size_t i = 0; i < 2 * log_lines_max; ++i)
    log->say(log_level::info, "m", text);
  CHECK(log->dropped() > 0);
  std::jthread reader{[from = ends[0]] {
    std::vector<char> piece(1 << 16);
    while (::read(from, piece.data(), piece.size()) > 0) {
    }
    ::close(from);
  }};
  log.reset(); // Writes all that waits.
  ::close(ends[1]);
}

TEST_CASE("lines for a slow reader come whole, however long they are", "[logging]") {
  for (auto make : {&ends::of_pipe, &ends::of_socket}) {
    auto all = make();
    std::string read, expected;
    std::jthread reader{[&] { read = all.read_all(); }};
    {
      line_output out{all.to};
      for (std::size_t size : {std::size_t{10}, std::size_t{PIPE_BUF}, std::size_t{1} << 20}) {
        auto line = std::string(size, 'x') + "\n";
        CHECK(out.write(line, never));
        expected += line;
      }
    }
    all.end();
    reader.join();
    CHECK((read == expected));
  }
}

TEST_CASE("a line that finds no room is given up, and the next one is a line of its own",
          "[logging]") {
  for (auto make : {&ends::of_pipe, &ends::of_socket}) {
    auto all = make();
    std::string read;
    std::jthread reader;
    {
      line_output out{all.to};
      std::string large(1 << 24, 'x');
      large += '\n';
      CHECK_FALSE(out.write(large, at_once));
      CHECK_FALSE(out.write("lost\n", at_once));
      CHECK((::fcntl(all.to, F_GETFL) & O_NONBLOCK) == 0); // Others may have it, too.
      reader = std::jthread{[&] { read = all.read_all(); }};
      CHECK(out.write("whole\n", never));
    }
    all.end();
    reader.join();
    CHECK(read.ends_with("x\nwhole\n"));
    CHECK(read.find("lost") == read.npos);
  }
}

TEST_CASE("a log that nobody reads comes to its end", "[logging]") {
  auto all = ends::of_pipe();
  node::log log{log_format::text, {}, all.to};
  for (int i = 0; i < 1000; ++i)
    log.say(log_level::info, "m", std::string(1000, 'x'));
}

TEST_CASE("a reader that comes back is told how many lines are gone", "[logging]") {
  auto all = ends::of_pipe();
  std::string read;
  std::jthread reader;
  {
    node::log log{log_format::text, {}, all.to};
    for (std::size_t i = 0; i < 2 * log_lines_max; ++i)
      log.say(log_level::info, "m", std::string(1000, 'x'));
    CHECK(log.dropped() > 0);
    reader = std::jthread{[&] { read = all.read_all(); }};
  }
  all.end();
  reader.join();
  CHECK(read.find(" warn log: ") != read.npos);
  CHECK(read.find(" lines were dropped: their reader is too slow\n") != read.npos);
}
