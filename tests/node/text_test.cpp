#include "node/harmless.hpp"
#include "node/text.hpp"
#include "tests/support/catch.hpp"

using namespace troupe::node;
using namespace std::chrono_literals;

TEST_CASE("a line has no character that steers a terminal", "[node]") {
  CHECK(one_line("a\nb\tc\x1b[2Jd\x7f") == "a b c [2Jd");
  CHECK(one_line("\xc2\x9b"
                 "31mé")
        == " 31mé");
  CHECK(one_line("done\n") == "done");
  CHECK(one_line("") == "");
}

TEST_CASE("a line has no character that turns the order of what it shows", "[node]") {
  CHECK(one_line("a\u202eb\u2066c\u2069d\u202ae") == "a b c d e");
  CHECK(one_line("\u2029 \u202f \u2065 \u206a é")
        == "\u2029 \u202f \u2065 \u206a é"); // Around them.
}

TEST_CASE("JSON for a terminal is the same value without a character that steers it", "[node]") {
  CHECK(harmless("{\n  \"a\": \"é\u0080\u009b\u00a0\x7f\"\n}")
        == "{\n  \"a\": \"é\\u0080\\u009b\u00a0\\u007f\"\n}");
  CHECK(harmless("\u2029\u202a\u202e\u202f\u2065\u2066\u2069\u206a")
        == "\u2029\\u202a\\u202e\u202f\u2065\\u2066\\u2069\u206a");
}

TEST_CASE("a cut text is as wide as allowed", "[node]") {
  CHECK(cut("abc", 3) == "abc");
  CHECK(cut("abcd", 3) == "ab…");
  CHECK(cut("äöüß", 3) == "äö…");
  CHECK(cut("abc", 1) == "…");
  CHECK(cut("abc", 0) == "");
  for (std::size_t width = 0; width < 8; ++width)
    CHECK(width_of(cut("ä€b…def", width)) == std::min<std::size_t>(width, 7));
}

TEST_CASE("time spans are short", "[node]") {
  CHECK(span_text(0ms) == "0 ms");
  CHECK(span_text(-5ms) == "0 ms");
  CHECK(span_text(999ms) == "999 ms");
  CHECK(span_text(3456ms) == "3.4 s");
  CHECK(span_text(125s) == "2:05");
  CHECK(span_text(3723s) == "1:02:03");
}

TEST_CASE("a table aligns its columns, also those that are not ASCII", "[node]") {
  const row rows[] = {{"ID", "NAME", "X"}, {"1", "äö"}, {"123", "b", "c"}};
  CHECK(table_of(rows) == "ID   NAME  X\n1    äö\n123  b     c\n");
  CHECK(table_of({}) == "");
}

TEST_CASE("nouns are counted", "[node]") {
  CHECK(counted(0, "job") == "0 jobs");
  CHECK(counted(1, "job") == "1 job");
  CHECK(counted(2, "vertex") == "2 vertices");
}
