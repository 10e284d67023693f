#include "storage/manifest.hpp"
#include "tests/fault/fault_graphs.hpp"
#include "tests/fault/store_checks.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr const char* data = "d";
const std::vector<std::string> open_to_write{"jobs",   "purge", "--older-than", "100000h", "--yes",
                                             "--data", data};

/// A data directory as the first version left it when it was killed, and what that version told of
/// its jobs.
class first_version {
public:
  first_version() {
    auto unpack = "tar xzf " TROUPE_SOURCE_DIR "/tests/storage/data/first_light.tar.gz -C "
                  + in.path().string();
    REQUIRE(std::system(unpack.c_str()) == 0);
    fs::rename(in.path() / data, kept_);
    renew();
  }

  /// The directory as it was.
  void renew() const {
    fs::remove_all(in.path() / data);
    fs::copy(kept_, in.path() / data, fs::copy_options::recursive);
  }

  std::string manifest() const { return read_file(in.path() / data / "MANIFEST"); }

  /// Each job is told as the first version did it.
  void check_told() const {
    std::size_t jobs = 0;
    for (auto& file : fs::directory_iterator{in.path() / "expected"}) {
      auto name = file.path().filename().string();
      auto id = name.substr(0, name.find('.'));
      CAPTURE(name);
      if (name.ends_with(".job.json")) {
        ++jobs;
        check_info(id, read_file(file));
      } else {
        auto logs = troupe_with(in, {"jobs", "logs", id, "--data", data, "-o", "json"});
        INFO(logs.err);
        CHECK(logs.out == read_file(file));
      }
    }
    CHECK(jobs == 3);
    CHECK(jobs_of(in.path() / data).size() == 3);
  }

  kept_jobs jobs() const { return jobs_of(in.path() / data); }
  void open_once() const { tests::open_once(in.path() / data); }
  std::string wrong() const { return wrong_in(in.path() / data); }

  scratch in;

private:
  void check_info(const std::string& id, const std::string& expected) const {
    auto got = troupe_with(in, {"jobs", "get", id, "--data", data, "-o", "json"});
    INFO(got.err);
    REQUIRE(got.code == 0);
    auto now = json_of(got.out);
    auto then = json_of(expected);
    for (auto& [key, was] : *then.members()) {
      CAPTURE(key);
      REQUIRE(now.find(key));
      CHECK(*now.find(key) == was);
    }
    auto events = lines_of(history_of(in, id, data).out);
    CHECK(*then.find("events")->integer() == static_cast<std::int64_t>(events.size()));
    CHECK((text_at(then, "state") == "running" || gapless(events)));
  }

  fs::path kept_ = in.path() / "kept";
};

} // namespace

TEST_CASE("a directory of the first version tells after its upgrade what it told before",
          "[fault][upgrade]") {
  first_version old;
  REQUIRE(has(old.manifest(), "\nformat 1\n"));
  old.check_told(); // Readers need no upgrade and make none.
  REQUIRE(has(old.manifest(), "\nformat 1\n"));
  auto before = old.jobs();

  old.open_once();
  CHECK(has(old.manifest(), "\nformat 2\n"));
  old.check_told();
  CHECK(old.jobs() == before);
  CHECK(old.wrong() == "");

  old.open_once(); // Once for all.
  CHECK(old.jobs() == before);

  auto resumed = troupe_with(old.in, {"run", "--resume", "--data", data});
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  CHECK(old.wrong() == "");
  for (auto& [id, now] : old.jobs()) {
    CHECK(goes_on(before[id], now));
    CHECK(gapless(lines_of(history_of(old.in, to_string(id), data).out)));
  }
}

TEST_CASE("an upgrade that is killed at any step loses nothing and is finished by the next open",
          "[fault][upgrade]") {
  auto seed = chosen_seed("killed upgrades");
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  first_version old;
  auto before = old.jobs();
  int steps_seen = 0;
  auto died = each_step(random, [&](std::uint64_t n) {
    CAPTURE(n);
    old.renew();
    auto ended = dies_at(old.in, old.in.path() / data, n, open_to_write);
    INFO(ended.err);
    REQUIRE((ended.code == killed || ended.code == 0));
    auto now = old.manifest();
    CHECK((has(now, "\nformat 1\n") || has(now, "\nformat 2\n")));
    CHECK(old.jobs() == before); // As it was left, to readers.
    auto again = dies_at(old.in, old.in.path() / data, 1 + random() % 20, open_to_write);
    REQUIRE((again.code == killed || again.code == 0)); // A crash of the second attempt, too.
    old.open_once();
    CHECK(has(old.manifest(), "\nformat 2\n"));
    CHECK(old.jobs() == before);
    if (++steps_seen % 8 == 0)
      CHECK(old.wrong() == "");
    return ended.code == killed;
  });
  std::cout << "killed at " << died << " steps of an upgrade" << std::endl;
  CHECK(died > 20);
}

TEST_CASE("a directory of a newer format is refused, told why, and left alone",
          "[fault][upgrade]") {
  scratch in;
  in.write("g.json", pure_graph());
  REQUIRE(troupe_with(in, {"run", "g.json", "--data", data}).code == 0);
  auto path = in.path() / data / "MANIFEST";
  auto about = storage::decode_manifest(read_file(path));
  REQUIRE(about);
  about->format = storage::data_format_version + 1;
  auto newer = storage::encode(*about);
  std::ofstream{path} << newer;
  for (auto& arguments : std::vector<std::vector<std::string>>{{"run", "g.json", "--data", data},
                                                               {"run", "--resume", "--data", data},
                                                               {"jobs", "list", "--data", data},
                                                               open_to_write,
                                                               {"backup", "b", "--data", data},
                                                               {"compact", "--data", data},
                                                               {"export", "--data", data}}) {
    auto said = troupe_with(in, arguments);
    CAPTURE(arguments.front(), said.code, said.err);
    CHECK(said.code != 0);
    CHECK(said.code < 128);
    CHECK(has(said.err, "error[E"));
    CHECK(has(said.err, "start the version that wrote it"));
  }
  CHECK(read_file(path) == newer);
  CHECK_FALSE(fs::exists(in.path() / "b"));
}
