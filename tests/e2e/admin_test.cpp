#include "node/security/audit_log.hpp"
#include "tests/e2e/json.hpp"
#include "tests/e2e/node.hpp"

#include <cstdlib>
#include <set>

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr auto program = TROUPE_BINARY_DIR "/bin/troupe";

/// What a script of zsh prints that stands for its line editor: the words of `line` are typed.
std::string zsh_offered(const scratch& in, const std::string& line, const std::string& load) {
  in.write("ask.zsh", R"(compdef() { : }
compadd() { shift; print -l -- "$@" }
_files() { print @files }
compset() { words[CURRENT]="${words[CURRENT]#*=}" }
)" + load + "\nwords=(" + line
                          + "); CURRENT=$#words\n_troupe > offered\n");
  REQUIRE(std::system(("cd '" + in.path().string() + "' && zsh -f ask.zsh").c_str()) == 0);
  return read_file(in.path() / "offered");
}

/// What fish offers for a line, without what it says of each word.
std::string fish_offered(const scratch& in, const std::string& line) {
  auto script = std::string{program} + " completion fish | source; complete -C '" + line
                + "' | string split -f1 \\t > offered; true"; // Files have no tab.
  in.write("ask.fish", script);
  auto home = in.path().string();
  REQUIRE(
      std::system(("cd '" + home + "' && HOME='" + home + "' fish --no-config ask.fish").c_str())
      == 0);
  return read_file(in.path() / "offered");
}

/// What bash offers for a line; its last word is the one to complete.
std::string offered(const scratch& in, const std::string& words, int last) {
  auto script = "source <('" TROUPE_BINARY_DIR "/bin/troupe' completion bash); COMP_WORDS=(" + words
                + "); COMP_CWORD=" + std::to_string(last)
                + "; _troupe; printf '%s\\n' \"${COMPREPLY[@]}\" > offered";
  std::ofstream{in.path() / "ask.sh"} << script;
  REQUIRE(std::system(("cd '" + in.path().string() + "' && bash ask.sh").c_str()) == 0);
  return read_file(in.path() / "offered");
}

} // namespace

TEST_CASE("keys are made, shown without their secret, and revoked", "[e2e]") {
  scratch here;
  auto made = troupe_with(here, {"keys", "create", "--role", "viewer", "--name", "ci"});
  CHECK(made.code == 0);
  auto key = made.out.substr(0, made.out.find('\n'));
  CHECK(key.size() == 56);
  CHECK(made.out == key + "\n"); // Nothing else, for `$(…)`.
  auto id = key.substr(4, 8);
  auto listed = troupe_with(here, {"keys", "list", "-o", "json"});
  CHECK(listed.code == 0);
  CHECK(listed.out.find("\"" + id + "\"") != std::string::npos);
  CHECK(listed.out.find(key.substr(13)) == std::string::npos);
  CHECK(troupe_with(here, {"keys", "revoke", id}).code == 0);
  auto again = troupe_with(here, {"keys", "revoke", id});
  CHECK(again.code == 3);
  CHECK(again.err.starts_with("error[E0043]"));
  auto whole = troupe_with(here, {"keys", "revoke", key}); // By mistake: it is cut to its id.
  CHECK(whole.code == 3);
  CHECK(whole.err.find(key.substr(13)) == std::string::npos);
  CHECK(troupe_with(here, {"keys", "list"}).out == "no keys\n");
  CHECK(troupe_with(here, {"keys", "create", "--role", "root"}).code == 2);
}

TEST_CASE("keys of a node are made, listed and revoked with an admin's key", "[e2e]") {
  scratch home, here;
  auto admin = troupe_with(home, {"keys", "create", "--role", "admin", "--name", "root"}).out;
  admin.pop_back();
  served_node node{home};
  CHECK(troupe_with(here, {"--url", node.url(), "keys", "list"}).code == 5);
  variable url{"TROUPE_URL", node.url()}, token{"TROUPE_TOKEN", admin};
  auto made = troupe_with(here, {"keys", "create", "--role", "viewer", "--name", "ci"});
  INFO(made.err);
  REQUIRE(made.code == 0);
  auto key = made.out.substr(0, made.out.find('\n'));
  CHECK(made.out == key + "\n");
  CHECK(key.size() == 56);
  CHECK(troupe_with(here, {"jobs", "list", "--token", key}).code == 0);
  auto id = key.substr(4, 8);
  auto listed = troupe_with(here, {"keys", "list"});
  CHECK(listed.code == 0);
  CHECK_THAT(listed.out, Catch::Contains(id + "  viewer") && Catch::Contains("  ci\n")
                             && Catch::Contains("  root\n"));
  // Byte by byte what the file's verb says.
  CHECK(listed.out == troupe_with(home, {"keys", "list", "--data", ".troupe"}).out);
  CHECK(troupe_with(here, {"keys", "list", "-o", "ndjson"}).out
        == troupe_with(home, {"keys", "list", "--data", ".troupe", "-o", "ndjson"}).out);
  auto refused = troupe_with(here, {"keys", "list", "--token", key});
  CHECK(refused.code == 5);
  CHECK_THAT(refused.err, Catch::Contains("error[E0211]"));
  CHECK(troupe_with(here, {"keys", "create", "--namespace", "7"}).code == 5);
  auto own = troupe_with(here, {"keys", "revoke", admin.substr(4, 8)});
  CHECK(own.code == 4);
  CHECK_THAT(own.err, Catch::Contains("error[E0228]"));
  CHECK(troupe_with(here, {"keys", "revoke", key}).out == "revoked " + id + "\n");
  CHECK(troupe_with(here, {"jobs", "list", "--token", key}).code == 5);
  auto gone = troupe_with(here, {"keys", "revoke", id});
  CHECK(gone.code == 3);
  CHECK_THAT(gone.err, Catch::Contains("error[E0227]") && Catch::Contains("troupe keys list"));
  CHECK_FALSE(fs::exists(here.path() / ".troupe"));
  auto typo = troupe_with(here, {"keys", "list", "--data", "d"});
  CHECK(typo.code == 3);
  CHECK_THAT(typo.err, Catch::Contains("error[E0010]"));
  CHECK(troupe_with(here, {"keys", "revoke", "1a2b3c4d", "--data", "d"}).code == 3);
  CHECK_FALSE(fs::exists(here.path() / "d"));
  CHECK(troupe_with(here, {"keys", "list", "--data", "d", "--url", node.url()}).code == 2);
  CHECK(troupe_with(here, {"keys", "list", "-c", "x.json", "--url", node.url()}).code == 2);
}

TEST_CASE("a file of keys that is none is told as that, by each who reads it", "[e2e]") {
  scratch here;
  fs::create_directory(here.path() / ".troupe");
  here.write(".troupe/keys.json", R"({"version": 1, "keys": )");
  for (auto& words : {std::vector<std::string>{"serve", "--port", "0"},
                      {"serve", "--check"},
                      {"dev", "--port", "0"},
                      {"keys", "create", "--data", ".troupe"},
                      {"keys", "list", "--data", ".troupe"},
                      {"keys", "revoke", "1a2b3c4d", "--data", ".troupe"}}) {
    auto told = troupe_with(here, words);
    INFO(words[0] << " " << words[1] << ": " << told.err);
    CHECK(told.code == 1);
    CHECK_THAT(told.err, Catch::Contains("error[E0045]: the file of keys is malformed")
                             && Catch::Contains("keys.json is no file of keys: ")
                             && Catch::Contains("try: restore it from a copy"));
  }
}

TEST_CASE("variables of the environment tell where a node's things are", "[e2e]") {
  scratch here;
  variable data{"TROUPE_DATA_DIR", (here.path() / "d").string()};
  CHECK(troupe_with(here, {"keys", "create"}).code == 0);
  CHECK(fs::exists(here.path() / "d" / "keys.json"));
  CHECK(troupe_with(here, {"keys", "list"}).out.starts_with("ID"));
  CHECK_THAT(troupe_with(here, {"audit", "verify"}).out,
             Catch::Contains("no audit log in " + (here.path() / "d").string()));
  CHECK_THAT(troupe_with(here, {"doctor"}).out, Catch::Contains((here.path() / "d").string()));
  CHECK(troupe_with(here, {"keys", "create", "--data", "other"}).code == 0);
  CHECK(fs::exists(here.path() / "other" / "keys.json"));
  variable address{"TROUPE_HTTP_ADDRESS", "0.0.0.0"};
  CHECK_THAT(troupe_with(here, {"doctor", "--data", "empty"}).out,
             Catch::Contains("troupe keys create --role admin --data empty"));
}

TEST_CASE("a configuration and a data directory are not taken together", "[e2e]") {
  scratch here;
  here.write("node.json", R"({"data_dir": "d"})");
  for (auto& verb : {std::vector<std::string>{"doctor"}, {"audit", "verify"}, {"keys", "list"}}) {
    auto asked = verb;
    asked.insert(asked.end(), {"-c", "node.json", "--data", "other"});
    auto x = troupe_with(here, asked);
    CHECK(x.code == 2);
    CHECK_THAT(x.err, Catch::Contains("-c does not go with --data"));
  }
}

TEST_CASE("an audit log that is not there is told", "[e2e]") {
  scratch here;
  auto typo = troupe_with(here, {"audit", "verify", "--data", "d"});
  CHECK(typo.code == 3);
  CHECK_THAT(typo.err, Catch::Contains("error[E0010]"));
  fs::create_directory(here.path() / "d");
  auto fresh = troupe_with(here, {"audit", "verify", "--data", "d"});
  CHECK(fresh.code == 0);
  CHECK(fresh.out == "no audit log in d/audit\n");
  CHECK(troupe_with(here, {"audit", "verify", "--data", "d", "--head", "00"}).code == 1);
}

TEST_CASE("help for a verb that is not there is a mistake of the caller", "[e2e]") {
  scratch here;
  for (auto& words : {std::vector<std::string>{"nosuch", "--help"}, {"jobs", "nosuch", "--help"}}) {
    auto x = troupe_with(here, words);
    CHECK(x.code == 2);
    CHECK_THAT(x.err, Catch::Contains("there is no verb `nosuch`"));
  }
  for (auto group : {"jobs", "graphs", "keys", "audit"}) {
    auto x = troupe_with(here, {group, "--help"});
    CHECK(x.code == 0);
    CHECK_THAT(x.out, !Catch::Contains("troupe dev") && Catch::Contains("Example"));
  }
  CHECK(troupe_with(here, {"run", "a", "b", "--help"}).code == 0);
}

TEST_CASE("numbers and names that cannot be are told before anything is done", "[e2e]") {
  scratch here;
  for (auto& words : {std::vector<std::string>{"serve", "--port", "99999"},
                      {"dev", "--port", "70000"},
                      {"keys", "create", "--namespace", "4294967296"},
                      {"keys", "create", "--name", "a b"}}) {
    auto x = troupe_with(here, words);
    INFO(x.err);
    CHECK(x.code == 2);
    CHECK_THAT(x.err, Catch::Contains(words.back()) && !Catch::Contains("Could not convert"));
  }
  CHECK_FALSE(std::filesystem::exists(here.path() / ".troupe"));
}

TEST_CASE("an option with an empty value is refused, whatever it is", "[e2e]") {
  scratch here;
  fs::create_directory(here.path() / "audit");
  for (auto& words : {std::vector<std::string>{"jobs", "purge", "--yes", "--data", ""},
                      {"keys", "create", "--data", ""},
                      {"keys", "list", "--data="},
                      {"audit", "verify", "--data", ""},
                      {"doctor", "-c", ""},
                      {"serve", "--port", "0", "-c", ""},
                      {"serve", "--port", ""},
                      {"--url", "", "jobs", "list"},
                      {"submit", "g.json", "--idempotency-key", ""},
                      {"jobs", "purge", "--yes", "--label", "a=1", "--label", ""},
                      {"jobs", "result", "1234", "--wait="}}) {
    auto x = troupe_with(here, words);
    INFO(x.err);
    CHECK(x.code == 2);
    CHECK_THAT(x.err, Catch::Contains("error[E0001]: the value of -")
                          && Catch::Contains(" is empty") && !Catch::Contains("\n\n"));
  }
  CHECK_FALSE(fs::exists(here.path() / ".troupe"));
}

TEST_CASE("a word in the wrong place is told as that", "[e2e]") {
  scratch here;
  for (auto& words : {std::vector<std::string>{"--data", "x", "run", "g.json"},
                      {"run", "g.json", "--", "--data", "x"}}) {
    auto x = troupe_with(here, words);
    CHECK(x.code == 2);
    CHECK_THAT(x.err, Catch::Contains("`--data` stands in the wrong place")
                          && Catch::Contains("troupe run --data"));
  }
  auto more = troupe_with(here, {"serve", "extra"});
  CHECK(more.code == 2);
  CHECK_THAT(more.err, Catch::Contains("`extra` is one argument too many"));
}

TEST_CASE("a directory that may not be looked at is called so, and is no backup", "[e2e]") {
  if (::geteuid() != 0)
    return; // Only root can be somebody else.
  scratch here;
  fs::permissions(here.path(), fs::perms::owner_all | fs::perms::others_all);
  CHECK(troupe_with(here, {"keys", "create", "--data", "data"}).code == 0); // With mode 0700.
  auto as_nobody = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"--reuid=65534", "--clear-groups", program});
    return process{here, std::move(words), {}, "/usr/bin/setpriv"}.wait();
  };
  auto seen = as_nobody({"version"});
  if (seen.code != 0)
    return; // The program itself is out of the reach of others here.
  for (auto& words : {std::vector<std::string>{"jobs", "list", "--data", "data"},
                      {"compact", "--data", "data"}}) {
    auto x = as_nobody(words);
    INFO(x.err);
    CHECK(x.code == 6);
    CHECK_THAT(x.err, Catch::Contains("error[E0116]") && Catch::Contains("Permission denied"));
  }
  auto told = as_nobody({"doctor", "--data", "data"});
  CHECK_THAT(told.out, Catch::Contains("Permission denied") && Catch::Contains("chown the file"));
}

TEST_CASE("the doctor tells a directory that the node could not make", "[e2e]") {
  scratch here;
  here.write("file", "");
  auto below = troupe_with(here, {"doctor", "--data", "file/data"});
  CHECK(below.code == 1);
  CHECK_THAT(below.out,
             Catch::Contains("BAD  data directory") && Catch::Contains("file is no directory"));
  CHECK_THAT(troupe_with(here, {"doctor", "--data", "some/data"}).out,
             Catch::Contains("odd  data directory") && Catch::Contains("the first start makes it"));
  if (::geteuid() != 0)
    return; // Only root can be somebody else.
  fs::permissions(here.path(),
                  fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  auto as_nobody = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"--reuid=65534", "--clear-groups", program});
    return process{here, std::move(words), {}, "/usr/bin/setpriv"}.wait();
  };
  if (as_nobody({"version"}).code != 0)
    return; // The program itself is out of the reach of others here.
  auto told = as_nobody({"doctor", "--data", "some/data"});
  CHECK(told.code == 1);
  CHECK_THAT(told.out, Catch::Contains("BAD  data directory")
                           && Catch::Contains("this user may not make it in"));
  CHECK(as_nobody({"serve", "--port", "0", "--data", "some/data"}).code == 6);
}

TEST_CASE("the doctor knows a backup, and a path that can be no directory", "[e2e]") {
  scratch here;
  here.write("g.json", R"({"vertices": [{"id": "a", "kind": "noop"}]})");
  CHECK(troupe_with(here, {"run", "g.json"}).code == 0);
  CHECK(troupe_with(here, {"backup", "copy"}).code == 0);
  auto told = troupe_with(here, {"doctor", "--data", "copy"});
  CHECK(told.code == 1);
  CHECK_THAT(told.out, Catch::Contains("BAD  data directory") && Catch::Contains("is a backup")
                           && Catch::Contains("troupe restore copy"));
  told = troupe_with(here, {"doctor", "--data", "g.json"});
  CHECK_THAT(told.out, Catch::Contains("Not a directory") && Catch::Contains("name another path"));
}

TEST_CASE("a directory that a key makes is told, and is none to look for jobs in", "[e2e]") {
  scratch here;
  auto made = troupe_with(here, {"keys", "create", "--role", "admin", "--name", "a"});
  CHECK(made.code == 0);
  CHECK_THAT(made.err, Catch::Contains("made .troupe\n"));
  CHECK_THAT(troupe_with(here, {"keys", "create"}).err, !Catch::Contains("made .troupe"));
  scratch home;
  served_node node{home};
  auto asked = troupe_with(here, {"jobs", "list"}); // There is a node, or none: it was asked for.
  CHECK_THAT(asked.err, !Catch::Contains("E0010"));
}

TEST_CASE("a check of a configuration tells that there is no key, and of strange variables",
          "[e2e]") {
  scratch here;
  auto refused = troupe_with(here, {"serve", "--check", "--address", "0.0.0.0"});
  CHECK(refused.code == 5);
  CHECK_THAT(refused.err, Catch::Contains("error[E0041]"));
  CHECK(troupe_with(here, {"keys", "create", "--role", "admin"}).code == 0);
  variable slip{"TROUPE_DATADIR", "/x"}, known{"TROUPE_TOKEN", "x"};
  auto told = troupe_with(here, {"serve", "--check", "--address", "0.0.0.0"});
  CHECK(told.code == 0);
  CHECK_THAT(told.err,
             Catch::Contains("warning: the environment variable TROUPE_DATADIR names no key; did "
                             "you mean `TROUPE_DATA_DIR`?")
                 && !Catch::Contains("TROUPE_TOKEN"));
  process node{here, {"serve", "--address", "0.0.0.0", "--port", "0"}};
  REQUIRE(eventually([&] { return node.err().find("serving http://") != std::string::npos; }));
  CHECK_THAT(node.err(), Catch::Contains("TROUPE_DATADIR")
                             && Catch::Contains("warning: the address is 0.0.0.0, and "
                                                "http.allowed_hosts is empty"));
  CHECK_THAT(troupe_with(here, {"doctor", "--data", ".troupe"}).out,
             !Catch::Contains("allowed_hosts"));
  variable address{"TROUPE_HTTP_ADDRESS", "0.0.0.0"};
  CHECK_THAT(troupe_with(here, {"doctor", "--data", ".troupe"}).out,
             Catch::Contains("odd  port") && Catch::Contains("http.allowed_hosts is empty"));
}

TEST_CASE("a configuration names where keys are, and is told what is wrong with it", "[e2e]") {
  scratch here;
  here.write("node.json", R"({"data_dir": "d"})");
  CHECK(troupe_with(here, {"keys", "create", "-c", "node.json"}).code == 0);
  CHECK(fs::exists(here.path() / "d" / "keys.json"));
  here.write("bad.json", R"({"http": {"prot": 1}})");
  auto refused = troupe_with(here, {"keys", "list", "-c", "bad.json"});
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err,
             Catch::Contains("bad.json: /http/prot: ") && Catch::Contains("error[E0040]"));
  CHECK(troupe_with(here, {"keys", "list", "-c", "none.json"}).code == 3);
}

TEST_CASE("an audit log that was changed is told with the line", "[e2e]") {
  scratch here;
  {
    auto log = node::audit_log::open(here.path() / ".troupe" / "audit");
    REQUIRE(log);
    for (int i = 0; i < 3; ++i)
      (*log)->append({{"1a2b3c4d", "ci", {}, node::role::admin}, "job.cancel", "j", "ok", "r", {}});
  }
  auto good = troupe_with(here, {"audit", "verify"});
  CHECK(good.code == 0);
  CHECK(good.out.starts_with("3 lines in 1 file, numbers 1 to 3\nhead "));
  auto head = good.out.substr(good.out.find("head ") + 5, 64);
  CHECK(troupe_with(here, {"audit", "verify", "--head", head}).code == 0);
  CHECK(troupe_with(here, {"audit", "verify", "--head", "0"}).err.starts_with("error[E0042]"));
  auto file = here.path() / ".troupe" / "audit" / "audit-000001.ndjson";
  auto text = read_file(file);
  text[text.find("cancel", text.find('\n'))] = 'C';
  std::ofstream{file} << text;
  auto bad = troupe_with(here, {"audit", "verify"});
  CHECK(bad.code == 1);
  CHECK_THAT(bad.err, Catch::Contains("audit-000001.ndjson line 2: "));
}

TEST_CASE("the doctor looks at everything and says what to do", "[e2e]") {
  scratch here;
  auto told = troupe_with(here, {"doctor", "-o", "ndjson"});
  std::istringstream in{told.out};
  std::set<std::string> looked;
  for (std::string line; std::getline(in, line);) {
    auto x = json_of(line);
    looked.insert(*x.find("of")->string());
    CHECK((*x.find("is") == value{"good"} || x.find("next")));
  }
  CHECK(looked
        == std::set<std::string>{"version", "data directory", "file system", "disk space", "disk",
                                 "clock", "open files", "memory", "port", "TLS", "keys"});
  here.write("text", "no certificate");
  here.write("node.json", R"({"http": {"tls": {"cert": "text", "key": "text"}}})");
  auto bad = troupe_with(here, {"doctor", "-c", "node.json"});
  CHECK(bad.code == 1);
  CHECK_THAT(bad.out, Catch::Contains("/http/tls/cert: cannot use text"));
}

TEST_CASE("bash is offered verbs, options and their values", "[e2e]") {
  scratch here;
  CHECK_THAT(offered(here, "troupe ''", 1), Catch::Contains("run\n") && Catch::Contains("keys\n"));
  CHECK(offered(here, "troupe jo", 1) == "jobs\n");
  CHECK_THAT(offered(here, "troupe jobs ''", 2),
             Catch::Contains("list\n") && !Catch::Contains("doctor"));
  CHECK_THAT(offered(here, "troupe jobs list --st", 3), Catch::Contains("--state\n"));
  CHECK(offered(here, "troupe jobs list -o ''", 4) == "table\njson\nndjson\n");
  CHECK(offered(here, "troupe keys create --role ''", 4) == "viewer\nworker\noperator\nadmin\n");
  CHECK(offered(here, "troupe -o ''", 2) == "table\njson\nndjson\n");
  CHECK(offered(here, "troupe --ur", 1) == "--url\n");
  CHECK(offered(here, "troupe jobs list --state = f", 5) == "failed\n");
  CHECK(offered(here, "troupe jobs list --state =", 4)
        == offered(here, "troupe jobs list --state ''", 4));
  CHECK(offered(here, "troupe serve --allow-kind ex", 3) == "exec\n");
  CHECK_THAT(offered(here, "troupe completion ''", 2), Catch::Contains("bash"));
  CHECK(offered(here, "troupe jobs wa", 2) == "watch\n");
  CHECK(offered(here, "troupe jobs retry --fr", 3) == "--from\n");
  CHECK(offered(here, "troupe sub", 1) == "submit\n");
  CHECK(offered(here, "troupe dev --po", 2) == "--port\n");
  CHECK(offered(here, "troupe graphs import --from ''", 4) == "wfformat\nlangflow\n");
  CHECK(offered(here, "troupe graphs render --format ''", 4) == "dot\nsvg\n");
  CHECK_THAT(offered(here, "troupe jobs list --state ''", 4),
             Catch::Contains("cancelled\n") && Catch::Contains("unfinished\n"));
  CHECK_THAT(offered(here, "troupe export --state ''", 3),
             Catch::Contains("cancelled\n") && !Catch::Contains("unfinished\n"));
  here.write("graph.json", "");
  CHECK(offered(here, "troupe run g", 2) == "graph.json\n");
  CHECK_THAT(offered(here, "troupe jobs get g", 3), !Catch::Contains("graph.json"));
}

TEST_CASE("zsh is offered verbs, options and their values", "[e2e]") {
  scratch here;
  auto sourced = std::string{"source <("} + program + " completion zsh)";
  auto offered = [&](const std::string& line) { return zsh_offered(here, line, sourced); };
  CHECK_THAT(offered("troupe ''"), Catch::Contains("run\n") && Catch::Contains("keys\n"));
  CHECK_THAT(offered("troupe jobs ''"),
             Catch::Contains("list\n") && !Catch::Contains("doctor") && !Catch::Contains("@files"));
  CHECK_THAT(offered("troupe submit ''"), Catch::Contains("@files"));
  CHECK_THAT(offered("troupe jobs retry --"),
             Catch::Contains("--from\n") && !Catch::Contains("@files"));
  CHECK(offered("troupe jobs list -o ''") == "table\njson\nndjson\n");
  CHECK(offered("troupe keys create --role ''") == "viewer\nworker\noperator\nadmin\n");
  CHECK(offered("troupe -o ''") == "table\njson\nndjson\n");
  CHECK_THAT(offered("troupe jobs list --state=f"),
             Catch::Contains("failed\n") && !Catch::Contains("--"));
  CHECK_THAT(offered("troupe serve --allow-kind ''"), Catch::Contains("exec\n"));
  CHECK(offered("troupe serve --tls-cert=x") == "@files\n");
  CHECK(offered("troupe jobs list --queue ''").empty());
  CHECK(offered("troupe serve --tls-cert ''") == "@files\n");
  // As a file of `fpath`, from the first time on.
  fs::create_directory(here.path() / "functions");
  here.write("functions/_troupe", troupe_with(here, {"completion", "zsh"}).out);
  const std::string loaded = "fpath=($PWD/functions $fpath); autoload -Uz _troupe";
  CHECK_THAT(zsh_offered(here, "troupe jobs ''", loaded), Catch::Contains("list\n"));
}

TEST_CASE("fish is offered verbs, options and their values", "[e2e]") {
  scratch here;
  CHECK(fish_offered(here, "troupe sub") == "submit\n");
  CHECK(fish_offered(here, "troupe jobs wa") == "watch\n");
  CHECK_THAT(fish_offered(here, "troupe jobs "),
             Catch::Contains("list\n") && !Catch::Contains("doctor"));
  CHECK(fish_offered(here, "troupe jobs retry --fr") == "--from\n");
  CHECK(fish_offered(here, "troupe keys list --ur") == "--url\n");
  CHECK(fish_offered(here, "troupe jobs list -o ") == "json\nndjson\ntable\n");
  CHECK(fish_offered(here, "troupe -o ") == "json\nndjson\ntable\n");
  CHECK_THAT(fish_offered(here, "troupe -o json "), Catch::Contains("jobs\n"));
  CHECK_THAT(fish_offered(here, "troupe jobs list --state=f"), Catch::Contains("--state=failed\n"));
  CHECK_THAT(fish_offered(here, "troupe serve --allow-kind "), Catch::Contains("exec\n"));
  here.write("graph.json", "");
  CHECK_THAT(fish_offered(here, "troupe submit g"), Catch::Contains("graph.json"));
  CHECK_THAT(fish_offered(here, "troupe jobs get g"), !Catch::Contains("graph.json"));
  CHECK_THAT(fish_offered(here, "troupe jobs get --ca-file g"), Catch::Contains("graph.json"));
  CHECK(fish_offered(here, "troupe keys create --role ") == "admin\noperator\nviewer\nworker\n");
}
