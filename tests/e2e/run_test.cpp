#include "tests/e2e/json.hpp"
#include "tests/e2e/process.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr auto hello = R"({"name": "shout",
  "vertices": [{"id": "say",   "kind": "exec", "config": {"argv": ["echo", "hello"]}},
               {"id": "shout", "kind": "jq",   "config": {"program": ".in | ascii_upcase"}}],
  "edges":    [{"from": "say", "to": "shout"}]})";

constexpr auto chain = R"({"name": "chain",
  "vertices": [{"id": "a",   "kind": "jq", "config": {"program": "1"}},
               {"id": "b",   "kind": "jq", "config": {"program": ".in + 1"}},
               {"id": "b.x", "kind": "jq", "config": {"program": ".in * 10"}}],
  "edges":    [{"from": "a", "to": "b"}, {"from": "b", "to": "b.x"}]})";

constexpr auto failing = R"({"vertices": [
  {"id": "bad", "kind": "exec", "config": {"shell": "echo oh no >&2; exit 3"}},
  {"id": "after", "kind": "noop"}], "edges": [{"from": "bad", "to": "after"}]})";

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("a graph runs to its end and prints its result", "[e2e]") {
  scratch in;
  in.write("g.json", hello);
  auto ran = troupe_with(in, {"run", "g.json"});
  INFO(ran.err);
  CHECK(ran.code == 0);
  CHECK(ran.out == "{\"shout\":\"HELLO\"}\n");
  CHECK(has(ran.err, "ok       say"));
  CHECK(has(ran.err, "completed in "));
  CHECK(fs::exists(in.path() / ".troupe"));
}

TEST_CASE("a graph comes from standard input, and nothing is written with --memory", "[e2e]") {
  scratch in;
  auto ran = troupe_with(in, {"run", "-", "--memory", "-o", "json"}, hello);
  INFO(ran.err);
  CHECK(ran.code == 0);
  CHECK(text_at(json_of(ran.out), "state") == "completed");
  CHECK(*json_of(ran.out).find("result") == value{value::object{{"shout", "HELLO"}}});
  CHECK_FALSE(fs::exists(in.path() / ".troupe"));
}

TEST_CASE("every event is a line of JSON, gapless, with one end", "[e2e]") {
  scratch in;
  in.write("g.json", hello);
  auto ran = troupe_with(in, {"run", "g.json", "-o", "ndjson"});
  CHECK(ran.code == 0);
  CHECK(ran.err == "");
  CHECK(gapless(lines_of(ran.out)));
}

TEST_CASE("a reader that falls behind a large graph still gets every event once", "[e2e]") {
  scratch in;
  constexpr int leaves = 60'000; // Their events are more than the ring keeps.
  std::string vertices = R"({"id": "root", "kind": "noop"})", edges;
  for (int i = 0; i < leaves; ++i) {
    auto id = "\"v" + std::to_string(i) + "\"";
    vertices += R"(,{"id": )" + id + R"(, "kind": "noop"})";
    edges += (i > 0 ? "," : "") + std::string{R"({"from": "root", "to": )"} + id + "}";
  }
  in.write("g.json", "{\"vertices\": [" + vertices + "], \"edges\": [" + edges + "]}");
  auto ran = troupe_with(in, {"run", "g.json", "--memory", "-o", "ndjson"});
  CHECK(ran.code == 0);
  auto events = lines_of(ran.out);
  CHECK(gapless(events));
  CHECK(count(events, "end_vertex") == leaves + 1);
}

TEST_CASE("a job's input reaches its vertices", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"vertices": [{"id": "v", "kind": "jq",
                                       "config": {"program": ".job.n + 1"}}], "result": "v"})");
  in.write("n.json", "{\"n\": 41}");
  CHECK(troupe_with(in, {"run", "g.json", "--input", "{\"n\": 1}"}).out == "2\n");
  CHECK(troupe_with(in, {"run", "g.json", "--input", "@n.json"}).out == "42\n");
  auto bad = troupe_with(in, {"run", "g.json", "--input", "{n: 1}"});
  CHECK(bad.code == 2);
  CHECK(has(bad.err, "error[E0004]: "));
}

TEST_CASE("a job that fails says why and exits with 1", "[e2e]") {
  scratch in;
  in.write("g.json", failing);
  auto ran = troupe_with(in, {"run", "g.json"});
  CHECK(ran.code == 1);
  CHECK(ran.out == "");
  CHECK(has(ran.err, "bad | oh no"));
  CHECK(has(ran.err, "failed   bad: exit_code: "));
  CHECK(has(ran.err, "error[E0013]: "));
  CHECK(has(ran.err, "why: bad: exit_code: "));
  CHECK(has(ran.err, "try: troupe jobs get "));
  auto json = troupe_with(in, {"run", "g.json", "-o", "json"});
  CHECK(json.code == 1);
  CHECK(text_at(json_of(json.out), "state") == "failed");
  CHECK(text_at(json_of(json.out).find("failures")->items()->front(), "vertex") == "bad");
}

TEST_CASE("a program that said nothing is told to have said nothing", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"vertices": [{"id": "v", "kind": "exec",
    "config": {"argv": ["echo", "no JSON"], "output": "json"}}]})");
  auto ran = troupe_with(in, {"run", "g.json", "--memory"});
  CHECK(ran.code == 1);
  CHECK(has(ran.err, "why: v: bad_output: stdout is not one JSON value: "));
  CHECK(has(ran.err, "; nothing on stderr\n"));
}

TEST_CASE("a job is shown by what its result names, whatever else it holds", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"vertices": [
    {"id": "large", "kind": "exec", "config": {"shell": "head -c 100000 /dev/zero | tr '\\0' x"}},
    {"id": "v", "kind": "jq", "config": {"program": ".in | length"}}],
    "edges": [{"from": "large", "to": "v"}]})");
  auto ran = troupe_with(in, {"run", "g.json", "-o", "json"});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  int removed = 0;
  for (auto& x : fs::recursive_directory_iterator{in.path() / ".troupe" / "blobs"})
    if (x.is_regular_file() && x.file_size() >= 100'000)
      removed += fs::remove(x.path());
  CHECK(removed == 1);
  auto got = troupe_with(in, {"jobs", "get", text_at(json_of(ran.out), "id"), "-o", "json"});
  INFO(got.err);
  CHECK(got.code == 0);
  CHECK(*json_of(got.out).find("result") == value{value::object{{"v", 100'000}}});
}

TEST_CASE("a bad file is refused before anything is stored", "[e2e]") {
  scratch in;
  in.write("syntax.json", "{\"vertices\": [}");
  in.write("kind.json", R"({"vertices": [{"id": "a", "kind": "exce"}]})");
  in.write("cycle.json", R"({"vertices": [{"id": "a", "kind": "noop"}, {"id": "b", "kind": "noop"}],
      "edges": [{"from": "a", "to": "b"}, {"from": "b", "to": "a"}]})");
  auto syntax = troupe_with(in, {"run", "syntax.json"});
  CHECK(syntax.code == 1);
  CHECK(has(syntax.err, "syntax.json: line 1, column 15"));
  auto kind = troupe_with(in, {"run", "kind.json"});
  CHECK(kind.code == 1);
  CHECK(has(kind.err, "kind.json: /vertices/0/kind: "));
  CHECK(has(kind.err, "did you mean `exec`?"));
  auto cycle = troupe_with(in, {"run", "cycle.json"});
  CHECK(cycle.code == 1);
  CHECK(has(cycle.err, "a cycle: a -> b -> a; take one of these edges out"));
  CHECK(has(cycle.err, "error[E0003]: "));
  CHECK(troupe_with(in, {"run", "none.json"}).code == 3);
  CHECK_FALSE(fs::exists(in.path() / ".troupe"));
}

TEST_CASE("a graph with vertices for workers is refused, as nobody can fetch from a run", "[e2e]") {
  scratch in;
  in.write("w.json", R"({"vertices": [{"id": "a", "kind": "noop"},
    {"id": "mail", "kind": "worker", "config": {"task": "send"}}]})");
  for (auto& how : {std::vector<std::string>{"run", "w.json"},
                    {"run", "w.json", "--memory"},
                    {"run", "w.json", "--dry-run"}}) {
    auto refused = troupe_with(in, how);
    CHECK(refused.code == 2);
    CHECK(has(refused.err, "why: nobody can fetch `mail`"));
    CHECK(has(refused.err, "try: troupe serve, then troupe submit w.json"));
  }
  CHECK_FALSE(fs::exists(in.path() / ".troupe"));
  CHECK(troupe_with(in, {"run", "w.json", "--until", "a"}).code == 0);
}

TEST_CASE("--set changes a vertex's config, the longest id first", "[e2e]") {
  scratch in;
  in.write("g.json", chain);
  CHECK(troupe_with(in, {"run", "g.json"}).out == "{\"b.x\":20}\n");
  auto set = troupe_with(
      in, {"run", "g.json", "--set", "b.x.program=.in * 2", "--set", "b.program=.in + 5"});
  CHECK(set.out == "{\"b.x\":12}\n");
  CHECK(troupe_with(in, {"run", "g.json", "--set", "c.program=1"}).code == 3);
  CHECK(troupe_with(in, {"run", "g.json", "--set", "b"}).code == 2);
  auto wrong = troupe_with(in, {"run", "g.json", "--set", "b.program=[1]"});
  CHECK(wrong.code == 1);
  CHECK(has(wrong.err, "/vertices/1/config/program"));
}

TEST_CASE("--until runs only what a vertex needs", "[e2e]") {
  scratch in;
  in.write("g.json", chain);
  auto ran = troupe_with(in, {"run", "g.json", "--until", "b", "-o", "json"});
  CHECK(ran.code == 0);
  auto job = json_of(ran.out);
  CHECK(*job.find("progress")->find("vertices") == value{2});
  CHECK(*job.find("result") == value{value::object{{"b", 2}}});
  auto unknown = troupe_with(in, {"run", "g.json", "--until", "b.y"});
  CHECK(unknown.code == 3);
  CHECK(has(unknown.err, "error[E0006]: "));
}

TEST_CASE("--from reuses what the newest job of the graph has recorded", "[e2e]") {
  scratch in;
  in.write("g.json", chain);
  auto early = troupe_with(in, {"run", "g.json", "--from", "b"});
  CHECK(early.code == 3);
  CHECK(has(early.err, "error[E0009]: "));
  CHECK(has(early.err, "try: "));
  auto first = troupe_with(in, {"run", "g.json", "-o", "json"});
  auto again = troupe_with(in, {"run", "g.json", "--from", "b", "-o", "ndjson"});
  CHECK(again.code == 0);
  auto events = lines_of(again.out);
  CHECK(gapless(events));
  CHECK(count(events, "vertex_start", "a") == 0);
  CHECK(count(events, "vertex_start", "b") == 1);
  CHECK(count(events, "vertex_start", "b.x") == 1);
  CHECK(*events.back().find("data")->find("result") == value{value::object{{"b.x", 20}}});
  auto jobs = json_of(troupe_with(in, {"jobs", "list", "-o", "json"}).out);
  CHECK(text_at(jobs.items()->front(), "retry_of") == text_at(json_of(first.out), "id"));
  CHECK(troupe_with(in, {"run", "g.json", "--from", "z"}).code == 3);
}

TEST_CASE("--dry-run shows the layers and touches nothing", "[e2e]") {
  scratch in;
  in.write("g.json", chain);
  auto plan = troupe_with(in, {"run", "g.json", "--dry-run"});
  CHECK(plan.code == 0);
  CHECK(plan.out
        == "chain: 3 vertices would run\nlayer 1 (1): a\nlayer 2 (1): b\n"
           "layer 3 (1): b.x\n");
  auto part =
      json_of(troupe_with(in, {"run", "g.json", "--dry-run", "--from", "b.x", "-o", "json"}).out);
  CHECK(*part.find("runs") == value{1});
  CHECK(*part.find("reused") == value{2});
  CHECK(*part.find("layers") == value{value::list{value{value::list{value{"b.x"}}}}});
  CHECK_FALSE(fs::exists(in.path() / ".troupe"));
}

namespace {

/// What `troupe` does that a shell starts like this.
outcome from_shell(const scratch& in, const std::string& before, const std::string& arguments) {
  auto line = before + " exec '" TROUPE_BINARY_DIR "/bin/troupe' " + arguments;
  return process{in, {"-c", line}, {}, "/bin/sh"}.wait();
}

/// Whether any file below a directory holds the text.
bool any_holds(const fs::path& directory, const std::string& text) {
  for (auto& x : fs::recursive_directory_iterator{directory})
    if (x.is_regular_file()) {
      std::ifstream in{x.path(), std::ios::binary};
      if (std::string{std::istreambuf_iterator<char>{in}, {}}.find(text) != std::string::npos)
        return true;
    }
  return false;
}

} // namespace

TEST_CASE("what is said to a closed descriptor goes into no file", "[e2e]") {
  scratch in;
  in.write("g.json",
           R"({"vertices": [{"id": "v", "kind": "noop", "config": {"output": "unsaid"}}]})");
  auto silent = from_shell(in, "", "run g.json --data silent 2>&-");
  CHECK(silent.code == 0);
  CHECK(silent.out == "{\"v\":\"unsaid\"}\n");
  CHECK_FALSE(any_holds(in.path() / "silent", "completed in"));
  auto unheard = from_shell(in, "", "run g.json --data unheard >&-");
  CHECK(unheard.code == 1);
  CHECK(has(unheard.err, "error[E0017]"));
  CHECK_FALSE(any_holds(in.path() / "unheard", "{\"v\":\"unsaid\"}"));
  auto alone = from_shell(in, "", "run g.json --data alone <&- >&- 2>&-");
  CHECK(alone.code == 1);
  CHECK(troupe_with(in, {"verify", "alone"}).code == 0);
  CHECK_FALSE(any_holds(in.path() / "alone", "completed in"));
}

TEST_CASE("programs have the limit of open files that their caller has set", "[e2e]") {
  scratch in;
  in.write("g.json",
           R"({"vertices": [{"id": "v", "kind": "exec", "config": {"shell": "ulimit -Sn"}}]})");
  auto ran = from_shell(in, "ulimit -Sn 300;", "run g.json --memory");
  INFO(ran.err);
  CHECK(ran.out == "{\"v\":\"300\"}\n");
}

TEST_CASE("usage mistakes exit with 2 and name the help", "[e2e]") {
  scratch in;
  using arguments = std::vector<std::string>;
  for (auto& x : {arguments{},
                  {"run"},
                  {"rum"},
                  {"jobs"},
                  {"run", "g.json", "--memroy"},
                  {"run", "--resume", "--memory"},
                  {"jobs", "list", "--state", "done"},
                  {"run", "g.json", "--max-parallel", "0"},
                  {"run", "g.json", "-o", "xml"}}) {
    auto ran = troupe_with(in, x);
    INFO(ran.err);
    CHECK(ran.code == 2);
    CHECK(ran.out == "");
    CHECK(has(ran.err, "error[E0001]: "));
    CHECK(has(ran.err, "\ntry: "));
  }
  CHECK(has(troupe_with(in, {"rum"}).err, "did you mean `run`?"));
  CHECK(has(troupe_with(in, {"run", "g.json", "--memroy"}).err, "did you mean `--memory`?"));
}

TEST_CASE("one argument too many is told as such", "[e2e]") {
  scratch in;
  auto ran = troupe_with(in, {"run", "a.json", "b", "c"});
  CHECK(ran.code == 2);
  CHECK(has(ran.err, "`b` is one argument too many\nwhy: troupe run takes one FILE\n"));
  CHECK(has(troupe_with(in, {"version", "b"}).err, "why: troupe version takes options only\n"));
}

TEST_CASE("a directory without a name is a mistake of the caller", "[e2e]") {
  scratch in;
  in.write("g.json", hello);
  for (auto& x : {std::vector<std::string>{"run", "g.json"},
                  {"jobs", "list"},
                  {"serve"},
                  {"dev"},
                  {"doctor"},
                  {"verify"}}) {
    auto with = x;
    with.insert(with.end(), {"--data", ""});
    auto ran = troupe_with(in, with);
    CHECK(ran.code == 2);
    CHECK(has(ran.err, "the value of --data is empty"));
  }
  auto both = troupe_with(in, {"run", "g.json", "--memory", "--data", "d"});
  CHECK(both.code == 2);
  CHECK(has(both.err, "--memory does not go with --data"));
}

TEST_CASE("what cannot be written is told with what this verb can do about it", "[e2e]") {
  scratch in;
  in.write("g.json", hello);
  auto full = [&in](const std::string& verb) {
    std::vector<std::string> shell{"-c", TROUPE_BINARY_DIR "/bin/troupe " + verb + " >/dev/full"};
    auto ran = process{in, shell, {}, "/bin/sh"}.wait();
    CHECK(ran.code == 1);
    CHECK(has(ran.err, "error[E0017]: "));
    return ran.err.substr(std::min(ran.err.find("try: "), ran.err.size()));
  };
  auto again = "try: repeat it with an output that takes all of it\n";
  CHECK(full("--help") == again);
  CHECK(full("graphs validate g.json") == again);
  CHECK(full("run g.json --dry-run") == again);
  CHECK(full("run g.json --memory") == "try: run it again; with --memory nothing was kept\n");
  CHECK(has(full("run g.json"), "try: `troupe jobs get "));
  CHECK(full("keys create --role admin").starts_with("try: nobody has seen the key: `troupe keys"));
  CHECK(full("run g.json -o ndjson").starts_with("try: `troupe "));
}

TEST_CASE("a job whose events cannot be written can be resumed", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"vertices": [{"id": "v", "kind": "exec",
    "config": {"shell": "while [ ! -e go ]; do sleep 0.01; done"}}], "result": "v"})");
  auto ran =
      process{in,
              {"-c", "exec " TROUPE_BINARY_DIR "/bin/troupe run g.json -o ndjson >/dev/full"},
              {},
              "/bin/sh"}
          .wait();
  CHECK(ran.code == 1);
  CHECK(has(ran.err, "error[E0017]: "));
  CHECK(has(ran.err, "try: `troupe run --resume` goes on where it stopped\n"));
  in.write("go", "");
  CHECK(troupe_with(in, {"run", "--resume"}).out == "\"\"\n");
}

TEST_CASE("a terminal is not steered by what a job says", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"vertices": [{"id": "a", "kind": "noop",
    "config": {"output": "x\u009b31m\u202ey\u007f"}}], "result": "a"})");
  auto raw = troupe_with(in, {"run", "g.json"});
  CHECK(raw.out == "\"x\u009b31m\u202ey\x7f\"\n");
  for (auto& how : {std::vector<std::string>{"run", "g.json"},
                    {"run", "g.json", "-o", "json"},
                    {"run", "g.json", "-o", "ndjson"}}) {
    auto shown = terminal_with(in, how);
    INFO(shown);
    CHECK(has(shown, "x\\u009b31m\\u202ey\\u007f"));
    CHECK_FALSE(has(shown, "\u009b"));
    CHECK_FALSE(has(shown, "\u202e"));
  }
}

TEST_CASE("help and version answer on standard output", "[e2e]") {
  scratch in;
  auto help = troupe_with(in, {"--help"});
  CHECK(help.code == 0);
  for (auto part : {"run", "graphs", "jobs", "version", "Examples:", "Exit codes:"})
    CHECK(has(help.out, part));
  for (auto& verb : std::vector<std::vector<std::string>>{{"run"},
                                                          {"graphs", "validate"},
                                                          {"graphs", "render"},
                                                          {"graphs", "import"},
                                                          {"jobs", "list"},
                                                          {"jobs", "get"},
                                                          {"jobs", "logs"}}) {
    auto arguments = verb;
    arguments.push_back("--help");
    auto shown = troupe_with(in, arguments);
    CHECK(shown.code == 0);
    CHECK(has(shown.out, "Example"));
  }
  CHECK(has(troupe_with(in, {"--version"}).out, "troupe "));
  CHECK(text_at(json_of(troupe_with(in, {"version", "-o", "json"}).out), "caf") == "0.17.6");
}

TEST_CASE("a data directory that cannot be used is explained", "[e2e]") {
  scratch in;
  in.write("g.json", hello);
  in.write("file", "");
  auto refused = troupe_with(in, {"run", "g.json", "--data", "file/below"});
  CHECK(refused.code == 6);
  CHECK(has(refused.err, "error[E0116]: "));
  REQUIRE(troupe_with(in, {"run", "g.json"}).code == 0);
  fs::resize_file(in.path() / ".troupe" / "MANIFEST", 3);
  auto corrupt = troupe_with(in, {"run", "g.json"});
  CHECK(corrupt.code == 6);
  CHECK(has(corrupt.err, "error[E0111]: "));
}

TEST_CASE("a terminal gets a bar in colours, NO_COLOR takes the colours away", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"name": "bars", "vertices": [
    {"id": "first", "kind": "delay", "config": {"for": "250ms"}}]})");
  ::unsetenv("NO_COLOR");
  auto coloured = terminal_with(in, {"run", "g.json", "--memory"});
  INFO(coloured);
  CHECK(has(coloured, "bars  "));
  CHECK(has(coloured, "0 of 1 done, 1 running"));
  CHECK(has(coloured, "\x1b[32mcompleted\x1b[0m in "));
  ::setenv("NO_COLOR", "1", 1);
  auto plain = terminal_with(in, {"run", "g.json", "--memory"});
  ::unsetenv("NO_COLOR");
  CHECK(has(plain, "0 of 1 done, 1 running"));
  CHECK(has(plain, "\x1b[J")); // Still redrawn.
  CHECK_FALSE(has(plain, "\x1b[32m"));
  CHECK_FALSE(has(plain, "\x1b[2m"));
}
