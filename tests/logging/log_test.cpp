#include "graph_json/value_json.hpp"
#include "node/logging/log.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <memory>
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
    node::log log{log_format::text, {log_level::info, {{"http", log_level::debug}}}, file};
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
    node::log log{log_format::json, {}, file};
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
  auto to = ::fdopen(ends[1], "w");
  auto log = std::make_unique<node::log>(log_format::text, log_levels_of{}, to);
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
  std::fclose(to);
}
