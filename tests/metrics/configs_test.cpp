#include "graph_json/value_json.hpp"
#include "node/metrics/metrics.hpp"
#include "tests/metrics/text_format.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <cstdlib>
#include <regex>

using namespace troupe;

namespace {

const std::string root{TROUPE_SOURCE_DIR};

/// Every family of a node that has seen something of everything.
std::set<std::string> families() {
  node::metrics all;
  auto seen = all.observer();
  observed_job job{{1, 2}, {}, "q", "g"};
  seen->job_stepped(job, {});
  seen->job_stepped(job,
                    {job_state::pending, job_state::running, std::chrono::milliseconds{1}, {}, {}});
  seen->job_stepped(job,
                    {job_state::running, job_state::failed, {}, std::chrono::milliseconds{1}, "x"});
  seen->attempts_ended(job, {"noop", attempt_fate::succeeded, {}, {}, 1});
  seen->job_refused("q", ec::overloaded);
  all.http_answered("/livez", 200, std::chrono::milliseconds{1});
  std::set<std::string> names;
  node::scraped now;
  now.totals = {{{}, "q", job_state::pending, 1, 1}};
  now.store.emplace();
  now.load = runtime_load{{{"shard", 1}}, {{"running_jobs", 1, 2}}};
  now.spans = node::span_counts{1, 2, 3};
  for (auto& [name, type] : tests::scraped_text{all.text(now)}.types)
    names.insert(name);
  return names;
}

/// The names of metrics in a text, without the suffixes of histograms.
std::set<std::string> names_in(const std::string& text, const std::set<std::string>& known) {
  static const std::regex name{"\\b(troupe|process)_[a-z_]+"};
  std::set<std::string> found;
  for (std::sregex_iterator at{text.begin(), text.end(), name}, end; at != end; ++at) {
    auto x = at->str();
    for (std::string suffix : {"_bucket", "_count", "_sum"})
      if (auto size = x.size() - suffix.size();
          x.ends_with(suffix) && known.contains(x.substr(0, size)))
        x.resize(size);
    found.insert(x);
  }
  return found;
}

bool has_promtool() { return std::system("command -v promtool >/dev/null 2>&1") == 0; }

int run_in_configs(const std::string& command) {
  return std::system(("cd '" + root + "/configs' && " + command + " >/dev/null 2>&1").c_str());
}

} // namespace

TEST_CASE("every dashboard asks for families that there are", "[metrics]") {
  auto known = families();
  for (auto file : {"overview", "jobs", "store"}) {
    INFO(file);
    auto board =
        graph_json::parse_value(tests::read_file(root + "/configs/grafana/" + file + ".json"));
    REQUIRE(board);
    std::size_t queries = 0;
    for (auto& panel : *board->find("panels")->items())
      for (auto& target : *panel.find("targets")->items()) {
        ++queries;
        auto names = names_in(*target.find("expr")->string(), known);
        CHECK_FALSE(names.empty());
        for (auto& name : names) {
          INFO(name);
          CHECK(known.contains(name));
        }
      }
    CHECK(queries >= 9);
  }
}

TEST_CASE("rules, their tests and the documentation name families that there are", "[metrics]") {
  auto known = families();
  for (auto file : {"/configs/alerts.yml", "/configs/alerts_test.yml"})
    for (auto& name : names_in(tests::read_file(root + file), known)) {
      INFO(name);
      CHECK(known.contains(name));
    }
  auto page = tests::read_file(root + "/docs/metrics.md");
  for (auto& name : known) {
    INFO(name);
    CHECK(page.find("`" + name + "`") != page.npos);
  }
}

TEST_CASE("Prometheus takes its configuration, and each rule fires when it should", "[metrics]") {
  REQUIRE(has_promtool());
  CHECK(run_in_configs("promtool check config prometheus.yml") == 0);
  CHECK(run_in_configs("promtool check rules alerts.yml") == 0);
  CHECK(run_in_configs("promtool test rules alerts_test.yml") == 0);
}

TEST_CASE("Prometheus reads what a node writes", "[metrics]") {
  REQUIRE(has_promtool());
  node::metrics all;
  all.observer()->job_stepped({{1, 2}, {}, "q", "a\"\\b"}, {});
  tests::temp_dir directory;
  std::ofstream{directory.path() / "scrape"} << all.text({});
  // 3: it is right, but for advice on names.
  auto code = std::system(("promtool check metrics < '" + (directory.path() / "scrape").string()
                           + "' > '" + (directory.path() / "told").string() + "' 2>&1")
                              .c_str());
  INFO(tests::read_file(directory.path() / "told"));
  CHECK((code == 0 || code == 3 << 8));
}

TEST_CASE("the service waits for the node and keeps it in a cage", "[metrics]") {
  auto text = tests::read_file(root + "/configs/troupe.service");
  for (std::string line : {"Type=notify", "WatchdogSec=30", "NoNewPrivileges=yes",
                           "ProtectSystem=strict", "Restart=on-failure", "KillMode=mixed"}) {
    INFO(line);
    CHECK(text.find("\n" + line + "\n") != text.npos);
  }
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    INFO(line);
    auto is_section = line.starts_with('[') && line.ends_with(']');
    auto assigns = line.find('=') != line.npos && line.find('=') > 0;
    CHECK((line.empty() || is_section || assigns));
  }
}
