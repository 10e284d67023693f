#include "node/security/audit_log.hpp"
#include "tests/e2e/json.hpp"
#include "tests/e2e/process.hpp"

#include <cstdlib>
#include <set>

using namespace troupe;
using namespace troupe::tests;

namespace {

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
  CHECK(troupe_with(here, {"keys", "list"}).out == "no keys\n");
  CHECK(troupe_with(here, {"keys", "create", "--role", "root"}).code == 2);
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
                                 "clock", "open files", "memory", "port", "keys"});
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
  CHECK_THAT(offered(here, "troupe completion ''", 2), Catch::Contains("bash"));
  CHECK(offered(here, "troupe jobs wa", 2) == "watch\n");
  CHECK(offered(here, "troupe jobs retry --fr", 3) == "--from\n");
  CHECK(offered(here, "troupe sub", 1) == "submit\n");
  CHECK(offered(here, "troupe dev --po", 2) == "--port\n");
}
