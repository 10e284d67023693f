#include "node/errors.hpp"
#include "tests/support/catch.hpp"

#include <fstream>
#include <set>
#include <sstream>

using namespace troupe;
using namespace troupe::node;

namespace {

std::string documentation() {
  std::ifstream file{TROUPE_SOURCE_DIR "/docs/errors.md"};
  std::stringstream text;
  text << file.rdbuf();
  REQUIRE(file);
  return text.str();
}

/// Whether a heading is there with at least a sentence below.
bool has_paragraph(const std::string& text, const std::string& heading) {
  auto at = text.find("\n" + heading + "\n");
  if (at == std::string::npos)
    return false;
  auto body = text.substr(at + heading.size() + 2);
  body = body.substr(0, body.find("\n#"));
  return body.find('.') != std::string::npos && body.size() > 40;
}

} // namespace

TEST_CASE("every fault and every code has a line of its own in the table", "[node]") {
  std::set<std::string_view> numbers, names;
  for (auto& x : error_kinds()) {
    CHECK(numbers.insert(x.number).second);
    CHECK_FALSE(x.what.empty());
    CHECK_FALSE(x.why.empty());
    CHECK_FALSE(x.next.empty());
    CHECK(x.exit != exit_code::ok);
  }
  for (unsigned i = 1; i <= static_cast<unsigned>(last(ec{})); ++i) {
    auto& kind = kind_of(ec(i));
    CHECK(kind.name == to_string(ec(i)));
    CHECK(kind.number == "E0" + std::to_string(100 + i));
  }
  CHECK(kind_of(fault::bad_usage).name == "bad_usage");
  CHECK(kind_of(fault::terminated).name == "terminated");
  CHECK(kind_of(last(fault{})).name == "unexpected");
}

TEST_CASE("exit codes are as documented", "[node]") {
  CHECK(number(kind_of(fault::bad_usage).exit) == 2);
  CHECK(number(kind_of(fault::job_failed).exit) == 1);
  CHECK(number(kind_of(fault::nothing_to_resume).exit) == 3);
  CHECK(number(kind_of(fault::other_graph).exit) == 4);
  CHECK(number(kind_of(fault::interrupted).exit) == 130);
  CHECK(number(kind_of(fault::terminated).exit) == 143);
  CHECK(number(kind_of(ec::already_open).exit) == 6);
  CHECK(number(kind_of(ec::io_failed).exit) == 6);
  CHECK(number(kind_of(ec::newer_format).exit) == 4);
  CHECK(number(kind_of(ec::timed_out).exit) == 124);
}

TEST_CASE("docs/errors.md has a paragraph for every error", "[node]") {
  auto text = documentation();
  for (auto& x : error_kinds()) {
    auto heading = "### " + std::string{x.number} + " `" + std::string{x.name} + "`";
    INFO(heading);
    CHECK(has_paragraph(text, heading));
  }
}

TEST_CASE("docs/errors.md has a paragraph for every problem of a vertex", "[node]") {
  auto text = documentation();
  for (auto code : vertex_problem_codes()) {
    auto heading = "### `" + std::string{code} + "`";
    INFO(heading);
    CHECK(has_paragraph(text, heading));
  }
}

TEST_CASE("an error is one line, then why and try", "[node]") {
  CHECK(to_text({fault::other_graph, "what", "why\nmore", "next"})
        == "error[E0008]: what\nwhy: why more\ntry: next\n");
  auto text = to_text(error{ec::already_open, "by process 7"});
  CHECK(text.starts_with("error[E0115]: the data directory is in use\nwhy: by process 7\ntry: "));
  CHECK(to_text(error{ec::no_space}).find("why: a file could not grow\n") != std::string::npos);
}

TEST_CASE("an error shows no control characters", "[node]") {
  auto text = to_text({fault::bad_set, "a\x1b[31mb\rc"});
  CHECK(text.starts_with("error[E0005]: a [31mb c\n"));
}
