#include "core/kind_catalog.hpp"

#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

using namespace troupe;
using namespace troupe::core;
using list = value::list;
using object = value::object;

namespace {

bool is_registered(const std::string& name) { return name == "word_count"; }

using wrong = std::vector<std::pair<std::string, std::string>>;

problems checked(const char* kind, const value& config) {
  problems errors;
  builtin_kinds(is_registered).at(kind).check(config, "/c", errors);
  return errors;
}

wrong faults(const char* kind, const value& config) {
  wrong found;
  for (auto& x : checked(kind, config))
    found.emplace_back(x.code, x.pointer);
  return found;
}

struct sample {
  const char* kind;
  value config;
  wrong expected;
};

const std::string zero{"a\0b", 3};

} // namespace

TEST_CASE("configs that a kind understands have no problems", "[core]") {
  const std::pair<const char*, value> good[] = {
      {"noop", object{}},
      {"noop", object{{"output", list{1, nullptr}}}},
      {"delay", object{{"for", "1.5s"}}},
      {"delay", object{{"for", "PT10S"}, {"hold", false}}},
      {"delay", object{{"until", "2026-01-31T12:00:00Z"}}},
      {"exec", object{{"argv", list{"date", "-u", ""}}}},
      {"exec", object{{"shell", "date | wc"},
                      {"output", "ndjson"},
                      {"env", object{{"LANG", "C"}, {"EMPTY", ""}, {"REMOVED", nullptr}}},
                      {"cwd", "/tmp"},
                      {"stdin", ""},
                      {"ok_codes", list{0, 1, 255}},
                      {"output_max", 1024}}},
      {"exec", object{{"shell", "cat"}, {"stdin", object{{"n", list{1, nullptr}}}}}},
      {"jq", object{{"program", ".in"}}},
      {"function", object{{"name", "word_count"}}},
      {"function", object{{"name", "word_count"}, {"arguments", 3}}},
  };
  for (auto& [kind, config] : good)
    CHECK(faults(kind, config).empty());
}

TEST_CASE("every problem of a config is named with its place", "[core]") {
  const sample samples[] = {
      {"noop", 3, {{"wrong_type", "/c"}}},
      {"noop", object{{"outputs", 1}}, {{"unknown_key", "/c/outputs"}}},
      {"delay", object{}, {{"missing_key", "/c"}}},
      {"delay",
       object{{"for", "1s"}, {"until", "2026-01-31T12:00:00Z"}},
       {{"too_many_keys", "/c"}}},
      {"delay", object{{"for", "soon"}}, {{"bad_duration", "/c/for"}}},
      {"delay", object{{"for", 10}}, {{"wrong_type", "/c/for"}}},
      {"delay", object{{"for", "-1s"}}, {{"bad_duration", "/c/for"}}},
      {"delay", object{{"until", "2026-02-30T12:00:00Z"}}, {{"bad_time", "/c/until"}}},
      {"delay", object{{"for", "1s"}, {"hold", "no"}}, {{"wrong_type", "/c/hold"}}},
      {"exec", object{}, {{"missing_key", "/c"}}},
      {"exec", object{{"argv", list{"a"}}, {"shell", "a"}}, {{"too_many_keys", "/c"}}},
      {"exec", object{{"argv", "date"}}, {{"wrong_type", "/c/argv"}}},
      {"exec", object{{"argv", list{}}}, {{"out_of_range", "/c/argv"}}},
      {"exec", object{{"argv", list{""}}}, {{"out_of_range", "/c/argv/0"}}},
      {"exec",
       object{{"argv", list{"a", 1, zero}}},
       {{"wrong_type", "/c/argv/1"}, {"out_of_range", "/c/argv/2"}}},
      {"exec", object{{"shell", ""}}, {{"out_of_range", "/c/shell"}}},
      {"exec",
       object{{"shell", "a"}, {"env", object{{"", "x"}, {"A=B", "x"}, {"N", 1}, {"Z", zero}}}},
       {{"bad_name", "/c/env/"},
        {"bad_name", "/c/env/A=B"},
        {"wrong_type", "/c/env/N"},
        {"out_of_range", "/c/env/Z"}}},
      {"exec", object{{"shell", "a"}, {"env", list{}}}, {{"wrong_type", "/c/env"}}},
      {"exec", object{{"shell", "a"}, {"cwd", ""}}, {{"out_of_range", "/c/cwd"}}},
      {"exec", object{{"shell", "a"}, {"ok_codes", list{}}}, {{"out_of_range", "/c/ok_codes"}}},
      {"exec",
       object{{"shell", "a"}, {"ok_codes", list{256, -1, "0"}}},
       {{"out_of_range", "/c/ok_codes/0"},
        {"out_of_range", "/c/ok_codes/1"},
        {"wrong_type", "/c/ok_codes/2"}}},
      {"exec", object{{"shell", "a"}, {"output", "xml"}}, {{"bad_value", "/c/output"}}},
      {"exec", object{{"shell", "a"}, {"output_max", 0}}, {{"out_of_range", "/c/output_max"}}},
      {"exec",
       object{{"shell", "a"}, {"output_max", std::int64_t{limits::value_bytes_max} + 1}},
       {{"out_of_range", "/c/output_max"}}},
      {"exec", object{{"shell", "a"}, {"output_max", "1MB"}}, {{"wrong_type", "/c/output_max"}}},
      {"jq", object{}, {{"missing_key", "/c"}}},
      {"jq", object{{"program", ""}}, {{"out_of_range", "/c/program"}}},
      {"jq", object{{"program", 1}}, {{"wrong_type", "/c/program"}}},
      {"function", object{}, {{"missing_key", "/c"}}},
      {"function", object{{"name", "word_cont"}}, {{"unknown_function", "/c/name"}}},
      {"function", object{{"name", 1}}, {{"wrong_type", "/c/name"}}},
  };
  for (auto& [kind, config, expected] : samples)
    CHECK(faults(kind, config) == expected);
}

TEST_CASE("an unknown key is answered by those allowed and the one meant", "[core]") {
  auto errors = checked("exec", object{{"argv", list{"a"}}, {"okcodes", list{0}}});
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].detail
        == "no key `okcodes`; allowed are `argv`, `shell`, `output`, `env`, `cwd`, `stdin`, "
           "`ok_codes`, `output_max`; did you mean `ok_codes`?");
}

TEST_CASE("no function is known where none is registered", "[core]") {
  problems errors;
  builtin_kinds().at("function").check(object{{"name", "word_count"}}, "", errors);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].code == "unknown_function");
}

TEST_CASE("kind, config and `pure` tell how a vertex is run", "[core]") {
  auto kinds = builtin_kinds();
  auto how = [&](const char* kind, std::optional<bool> pure, const value& config = object{}) {
    return how_to_run(kinds.at(kind), kind, config, pure);
  };
  using enum execution;
  CHECK(how("noop", {}) == inline_pure);
  CHECK(how("noop", true) == inline_pure);
  CHECK(how("noop", false) == inline_pure); // There is no other way.
  for (auto pure : {std::optional<bool>{}, std::optional{false}, std::optional{true}})
    CHECK(how("delay", pure) == timer);
  CHECK(how("exec", {}) == attempt);
  CHECK(how("exec", false) == attempt);
  CHECK(how("exec", true) == pooled_pure);
  CHECK(how("function", {}) == attempt);
  CHECK(how("function", false) == attempt);
  CHECK(how("function", true) == inline_pure);
  const value plain = object{{"program", "."}}, timely = object{{"program", "now"}};
  CHECK(how("jq", {}, plain) == pooled_pure);
  CHECK(how("jq", {}, timely) == attempt);
  CHECK(how("jq", true, timely) == pooled_pure);
  CHECK(how("jq", false, plain) == attempt);
}

TEST_CASE("all kinds but `noop` hold a slot, a delay as it says", "[core]") {
  auto kinds = builtin_kinds();
  CHECK_FALSE(holds_slot(kinds.at("noop"), object{}));
  CHECK(holds_slot(kinds.at("exec"), object{{"hold", false}}));
  CHECK(holds_slot(kinds.at("delay"), object{}));
  CHECK(holds_slot(kinds.at("delay"), object{{"hold", true}}));
  CHECK_FALSE(holds_slot(kinds.at("delay"), object{{"hold", false}}));
}

TEST_CASE("a jq program that asks for the time is not pure", "[core]") {
  for (auto program :
       {"now", ".x + now", "now|todate", "(now)", "[1,now]", "{a:now}", "{(now):1}", ".[now:]",
        ".[:now]", "\"at \\(now)\"", "\"\\(\"\\(now)\")\"", "\"\\((1)) \\(now)\"", "# x\nnow",
        "def f: now; f", "\"a\\\"\" + \"\\(now)\"", "{a:.[now:]}", "\"unfinished \\( now", ")now\\",
        "\"\\({a:1})\" | now"}) {
    INFO(program);
    CHECK_FALSE(jq_is_pure(program));
  }
}

TEST_CASE("the word `now` in strings, comments and keys leaves a program pure", "[core]") {
  for (auto program : {"", ".", ".now", "$now", ".a.now|.b", "\"now\"", "\"\\\"now\"", "# now",
                       "1 # now\n", "nowhere", "know", "now_", "_now", "now2", "{now: 1}",
                       "{a: 1, now : 2}", "\"\\(1) now\"", "\"\\(\"now\") now\"", ".[\"now\"]"}) {
    INFO(program);
    CHECK(jq_is_pure(program));
  }
}
