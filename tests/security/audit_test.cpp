#include "graph_json/value_json.hpp"
#include "node/security/audit_files.hpp"
#include "node/security/audit_log.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fault_file.hpp"
#include "tests/support/temp_dir.hpp"

#include <atomic>
#include <fstream>
#include <future>

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

constexpr core::shard_time some_time{1'700'000'000'000ms};

audit_entry entry(std::string act, std::string target = "job-1") {
  return {{"1a2b3c4d", "ci", {}, role::operator_},
          std::move(act),
          std::move(target),
          "ok",
          "req-1",
          "127.0.0.1"};
}

audit_entry refused(std::string act) {
  auto x = entry(std::move(act));
  x.outcome = "409";
  return x;
}

struct fixture {
  tests::temp_dir directory;
  std::filesystem::path audit = directory.path() / "audit";
  audit_options options;

  fixture() {
    options.now = [] { return some_time; };
  }

  std::unique_ptr<audit_log> open() {
    auto log = audit_log::open(audit, options);
    REQUIRE(log);
    return std::move(*log);
  }

  static status append(audit_log& log, audit_entry x) {
    std::promise<status> promise;
    auto told = promise.get_future();
    log.append(std::move(x), [&](const status& outcome, auto&) { promise.set_value(outcome); });
    REQUIRE(told.wait_for(60s) == std::future_status::ready);
    return told.get();
  }

  void write(int lines) {
    auto log = open();
    for (int i = 0; i < lines; ++i)
      REQUIRE(append(*log, entry("job.cancel", "job-" + std::to_string(i))));
  }

  std::filesystem::path file(std::uint64_t index) { return audit_file_path(audit, index); }

  void rewrite(std::uint64_t index, const std::string& text) {
    std::ofstream{file(index), std::ios::binary} << text;
  }

  audit_report verify(std::optional<std::string> wanted = {}) {
    auto report = verify_audit(audit, wanted);
    REQUIRE(report);
    return *report;
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text.size();) {
    auto end = text.find('\n', at);
    all.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

} // namespace

TEST_CASE("a line tells who did what to which job, when", "[security]") {
  audit_head head;
  auto line = audit_line(entry("job.cancel"), some_time, head);
  auto x = graph_json::parse_value(line);
  REQUIRE(x);
  CHECK(*x->find("act")->string() == "job.cancel");
  CHECK(*x->find("target")->string() == "job-1");
  CHECK(*x->find("who")->find("key")->string() == "1a2b3c4d");
  CHECK(*x->find("who")->find("role")->string() == "operator");
  CHECK(*x->find("time")->string() == "2023-11-14T22:13:20.000Z");
  CHECK(*x->find("request")->string() == "req-1");
  CHECK(*x->find("number")->integer() == 1);
  CHECK(*x->find("hash")->string() == head.hash);
}

TEST_CASE_METHOD(fixture, "a key in a path or elsewhere is written as its id", "[security]") {
  const std::string id = "trp_1a2b3c4d_", secret(43, 's'), key = id + secret;
  auto x = entry("DELETE /v1/keys/{key}", "/v1/keys/" + key + "?token=" + key);
  x.request = x.peer = x.result = key;
  audit_head head;
  auto line = audit_line(x, some_time, head);
  CHECK(line.find(secret) == line.npos);
  auto target = *graph_json::parse_value(line)->find("target")->string();
  CHECK(target == "/v1/keys/" + id + "…?token=" + id + "…");

  options.file_bytes = 1 << 20;
  auto log = open();
  for (std::size_t i = 0; i < 20; ++i) // The text is cut at each byte of what is cut of the key.
    REQUIRE(append(*log, entry("x", std::string(audit_text_bytes_max - i, 'x') + key)));
  log.reset();
  CHECK(tests::read_file(file(1)).find(secret.substr(0, 3)) == std::string::npos);
  CHECK_FALSE(verify().broken);
}

TEST_CASE_METHOD(fixture, "lines hang together over files and starts", "[security]") {
  options.file_bytes = 1000;
  write(10);
  write(5);
  auto report = verify();
  CHECK_FALSE(report.broken);
  CHECK(report.files > 2);
  CHECK(report.lines == 15);
  CHECK(report.first == 1);
  CHECK(report.head.number == 15);
  CHECK(open()->head() == report.head);
}

TEST_CASE_METHOD(fixture, "every change of a byte is found at its line", "[security]") {
  write(3);
  auto text = tests::read_file(file(1));
  auto second = text.find('\n') + 1, third = text.find('\n', second) + 1;
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    auto changed = text;
    changed[at] = changed[at] == 'x' ? 'y' : 'x';
    rewrite(1, changed);
    auto report = verify();
    INFO(at);
    REQUIRE(report.broken);
    CHECK(report.broken->line == (at < second ? 1u : at < third ? 2u : 3u));
  }
}

TEST_CASE_METHOD(fixture, "lines that were removed, swapped or put in are found", "[security]") {
  write(4);
  auto lines = lines_of(tests::read_file(file(1)));
  auto join = [](const std::vector<std::string>& all) {
    std::string text;
    for (auto& x : all)
      text += x + "\n";
    return text;
  };
  rewrite(1, join({lines[0], lines[2], lines[3]}));
  CHECK(verify().broken->line == 2);
  rewrite(1, join({lines[0], lines[2], lines[1], lines[3]}));
  CHECK(verify().broken->line == 2);
  rewrite(1, join({lines[0], lines[0], lines[1]}));
  CHECK(verify().broken->line == 2);
  rewrite(1, join({lines[1], lines[2]}));
  CHECK(verify().broken->line == 1);
  audit_head forged{2, std::string(64, '0')};
  rewrite(1, join({lines[0], lines[1]}) + audit_line(entry("job.delete"), some_time, forged));
  CHECK(verify().broken->line == 3);
}

TEST_CASE_METHOD(fixture, "a head that was noted tells of a log that was cut or written anew",
                 "[security]") {
  write(3);
  auto noted = verify().head.hash;
  write(1);
  CHECK(verify(noted).has_wanted);
  std::filesystem::remove(file(1));
  write(4); // Right in itself.
  CHECK_FALSE(verify().broken);
  auto lines = lines_of(tests::read_file(file(1)));
  CHECK(verify(noted).has_wanted); // The same entries at the same time are the same lines.
  rewrite(1, lines[0] + "\n" + lines[1] + "\n");
  CHECK_FALSE(verify(noted).has_wanted);
}

TEST_CASE_METHOD(fixture, "a missing file in the middle is found", "[security]") {
  options.file_bytes = 400;
  write(6);
  std::filesystem::remove(file(2));
  CHECK(verify().broken->file == file(3));
}

TEST_CASE_METHOD(fixture, "old files go, and the rest is still right", "[security]") {
  options.file_bytes = 400;
  options.files_max = 3;
  write(12);
  auto report = verify();
  CHECK(report.files == 3);
  CHECK_FALSE(report.broken);
  CHECK(report.first > 1);
  CHECK(report.head.number == 12);
}

TEST_CASE_METHOD(fixture, "what a crash left of a line is cut", "[security]") {
  write(2);
  auto text = tests::read_file(file(1));
  for (auto size : {text.size() - 1, text.size() - 30, text.find('\n') + 2}) {
    rewrite(1, text.substr(0, size));
    CHECK(verify().torn);
    CHECK_FALSE(verify().broken);
    write(1);
    auto report = verify();
    CHECK_FALSE(report.broken);
    CHECK(report.lines == 2);
  }
}

TEST_CASE_METHOD(fixture, "nothing follows a last line that tells no number", "[security]") {
  write(1);
  std::ofstream{file(1), std::ios::app} << "garbage\n";
  CHECK(audit_log::open(audit, options).code() == ec::journal_corrupt);
}

TEST_CASE_METHOD(fixture, "a file without a line does not end the chain", "[security]") {
  write(2);
  std::ofstream{file(2)};
  write(1);
  auto report = verify();
  CHECK_FALSE(report.broken);
  CHECK(report.lines == 3);
}

TEST_CASE_METHOD(fixture, "a line that could not be synced was never there", "[security]") {
  test::fault_files disk;
  options.files = &disk;
  auto log = open();
  REQUIRE(append(*log, entry("a")));
  std::atomic<bool> fails = true;
  disk.before = [&](auto op, auto&) {
    return fails && op == test::fault_files::op::fdatasync ? -EIO : 0;
  };
  CHECK(append(*log, refused("b")).code() == ec::io_failed);
  CHECK(log->head().number == 1);
  fails = false;
  REQUIRE(append(*log, entry("c")));
  audit_chain chain;
  for (std::uint64_t index : {1, 2}) {
    auto content = storage::read_file(disk, file(index));
    REQUIRE((content && *content));
    for (auto& line : lines_of({(*content)->begin(), (*content)->end()})) {
      INFO(line);
      CHECK_FALSE(chain.next(line));
    }
  }
  CHECK(chain.head() == log->head());
  CHECK(chain.head().number == 2);
}

TEST_CASE_METHOD(fixture, "a log whose disk hangs refuses at its bound and blocks nobody",
                 "[security]") {
  test::fault_files disk;
  options.files = &disk;
  auto log = open();
  std::promise<void> opened, met;
  auto gate = opened.get_future().share();
  std::atomic<bool> first = true;
  disk.before = [&](auto op, auto&) {
    if (op == test::fault_files::op::write) {
      if (first.exchange(false))
        met.set_value();
      gate.wait();
    }
    return 0;
  };
  std::atomic<std::size_t> refused = 0, kept = 0;
  auto add = [&](const char* outcome) {
    auto x = entry("a");
    x.outcome = outcome;
    log->append(x,
                [&](const status& x, auto&) { ++(x.code() == ec::overloaded ? refused : kept); });
  };
  add("ok");
  REQUIRE(met.get_future().wait_for(60s) == std::future_status::ready);
  CHECK(log->ready());
  for (std::size_t i = 0; i < audit_waiting_max + 100; ++i)
    add("409");
  CHECK(refused == 100);
  CHECK(log->ready().code() == ec::overloaded);
  for (std::size_t i = 0; i < audit_waiting_max + 10; ++i)
    add("ok"); // It was made: there is more room for that.
  CHECK(refused == 110);
  CHECK(kept == 0);
  opened.set_value();
  log.reset(); // Writes all that waits.
  CHECK(kept == 2 * audit_waiting_max + 1);
}

/// Each line's number, act and time.
std::vector<std::string> told_by(storage::file_ops& disk, const std::filesystem::path& file) {
  auto content = storage::read_file(disk, file);
  REQUIRE((content && *content));
  std::vector<std::string> all;
  audit_chain chain;
  for (auto& line : lines_of({(*content)->begin(), (*content)->end()})) {
    CHECK_FALSE(chain.next(line));
    auto x = graph_json::parse_value(line);
    REQUIRE(x);
    all.push_back(std::to_string(*x->find("number")->integer()) + " " + *x->find("act")->string()
                  + " " + x->find("time")->string()->substr(14));
  }
  return all;
}

TEST_CASE_METHOD(fixture, "a change that was made is written down as soon as that can be",
                 "[security]") {
  test::fault_files disk;
  options.files = &disk;
  std::atomic<int> seconds = 0;
  options.now = [&] { return core::shard_time{std::chrono::seconds{seconds++}}; };
  auto log = open();
  std::atomic<bool> fails = true;
  disk.before = [&](auto op, auto&) {
    return fails && op == test::fault_files::op::write ? -EIO : 0;
  };
  auto own = entry("go on");
  own.request.clear();
  CHECK(append(*log, entry("made")).code() == ec::io_failed);
  CHECK(append(*log, refused("refused")).code() == ec::io_failed);
  CHECK(append(*log, own).code() == ec::io_failed);
  auto gone = entry("gone");
  gone.outcome = audit_gone;
  CHECK(append(*log, gone).code() == ec::io_failed);
  CHECK(log->head().number == 0);

  SECTION("before the next line") {
    fails = false;
    REQUIRE(append(*log, entry("next")));
    log.reset();
    CHECK(
        told_by(disk, file(1))
        == std::vector<std::string>{"1 made 00:00.000Z", "2 gone 00:03.000Z", "3 next 00:04.000Z"});
  }
  SECTION("or when the log is closed") {
    fails = false;
    log.reset();
    CHECK(told_by(disk, file(1))
          == std::vector<std::string>{"1 made 00:00.000Z", "2 gone 00:03.000Z"});
  }
}

TEST_CASE_METHOD(fixture, "a log that could not be written says so until it can", "[security]") {
  test::fault_files disk;
  options.files = &disk;
  auto log = open();
  CHECK(log->ready());
  std::atomic<int> fails = -ENOSPC;
  disk.before = [&](auto op, auto&) {
    return op == test::fault_files::op::write ? fails.load() : 0;
  };
  CHECK_FALSE(append(*log, entry("a")));
  CHECK(log->ready().code() == ec::no_space);
  fails = -EIO;
  CHECK_FALSE(append(*log, entry("a")));
  CHECK(log->ready().code() == ec::not_ready);
  fails = 0;
  REQUIRE(append(*log, entry("a")));
  CHECK(log->ready());
}

TEST_CASE_METHOD(fixture, "a file whose name could not be synced is taken later", "[security]") {
  test::fault_files disk;
  options.files = &disk;
  options.file_bytes = 1;
  auto log = open();
  REQUIRE(append(*log, entry("a")));
  std::atomic<bool> fails = true;
  disk.before = [&](auto op, auto&) {
    return fails && op == test::fault_files::op::fsync ? -EIO : 0;
  };
  CHECK_FALSE(append(*log, refused("b")));
  CHECK(disk.exists(file(2)));
  fails = false;
  REQUIRE(append(*log, entry("b")));
  CHECK(log->head().number == 2);
}
