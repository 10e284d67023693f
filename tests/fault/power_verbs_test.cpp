#include "storage/backup.hpp"
#include "storage/restore.hpp"
#include "tests/fault/kept_work.hpp"
#include "tests/fault/power_history.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr std::uint64_t losses_wanted = sanitized ? 15 : 120; ///< Of each verb.

/// A verb that works on a disk, and loses its power there.
class lost_verb {
public:
  lost_verb(const char* of, const fs::path& from) : seed_(chosen_seed(of)), all_(from) {}

  /// `check` gets what each loss of power leaves, and whether the verb had said that it is done.
  template <class Check>
  void lose(const std::vector<std::string>& arguments, Check check) {
    CAPTURE(seed_);
    auto done = all_.run(arguments);
    INFO(done.err);
    REQUIRE(done.code == 0);
    temp_dir quick{quick_place()};
    std::uint64_t looks = 0, told = 0;
    all_.each_moment(random_, setting("TROUPE_POWER_LOSSES", losses_wanted),
                     [&](const power_history::moment& at) {
                       auto how = next_fate(looks++);
                       CAPTURE(at.at, how, at.told);
                       auto disk = quick.path() / "disk";
                       fs::remove_all(disk);
                       at.disk.leave(disk, how, random_);
                       told += !at.told.empty();
                       check(disk, !at.told.empty());
                     });
    std::cout << looks << " losses of power of " << arguments.front() << ", " << told
              << " of them after it was done" << std::endl;
    CHECK(looks > 10);
    CHECK(told > 0);
  }

private:
  std::uint64_t seed_;
  std::mt19937_64 random_{seed_};
  power_history all_;
};

/// A disk with the data directory `data`.
fs::path disk_of(const kept_work& work) {
  auto disk = work.at("disk of it");
  fs::create_directory(disk);
  fs::copy(work.data, disk / "data", fs::copy_options::recursive);
  return disk;
}

/// It opens, and is whole.
void check_opens(const fs::path& data, const kept_jobs& jobs) {
  CHECK(jobs_of(data) == jobs);
  open_once(data);
  CHECK(jobs_of(data) == jobs);
  CHECK(wrong_in(data) == "");
}

} // namespace

TEST_CASE("a backup that loses its power is whole or is none, and harms nothing",
          "[fault][power]") {
  auto is_there = GENERATE(false, true); // The target, as an empty directory.
  CAPTURE(is_there);
  kept_work work;
  auto from = disk_of(work);
  if (is_there)
    fs::create_directory(from / "backup");
  lost_verb verb{"power, backups", from};
  verb.lose({"backup", "disk/backup", "--data", "disk/data"}, [&](const fs::path& disk, bool told) {
    check_opens(disk / "data", work.jobs);
    auto backup = disk / "backup";
    CHECK((!told || fs::exists(backup / "BACKUP")));
    if (!fs::exists(backup / "BACKUP"))
      return;
    CHECK(wrong_in(backup) == "");
    REQUIRE(storage::restore(backup, disk / "other"));
    CHECK(jobs_of(disk / "other") == work.jobs);
  });
}

TEST_CASE("a restore that loses its power is whole or is none, and harms no backup",
          "[fault][power]") {
  auto is_there = GENERATE(false, true); // The target, as an empty directory.
  CAPTURE(is_there);
  kept_work work;
  auto from = work.at("disk of it");
  fs::create_directory(from);
  REQUIRE(storage::back_up(work.data, from / "backup"));
  if (is_there)
    fs::create_directory(from / "data");
  lost_verb verb{"power, restores", from};
  verb.lose({"restore", "disk/backup", "--data", "disk/data"},
            [&](const fs::path& disk, bool told) {
              CHECK(wrong_in(disk / "backup") == "");
              auto data = disk / "data";
              CHECK((!told || fs::exists(data / "MANIFEST")));
              if (fs::exists(data / "MANIFEST"))
                check_opens(data, work.jobs);
              else if (fs::exists(data) && !fs::is_empty(data))
                CHECK(actors::open_store({.data_dir = data}).code() == ec::journal_corrupt);
            });
}

TEST_CASE("compacting that loses its power leaves every job", "[fault][power]") {
  kept_work work;
  work.waste_pages();
  lost_verb verb{"power, compacts", disk_of(work)};
  verb.lose({"compact", "--data", "disk/data"},
            [&](const fs::path& disk, bool) { check_opens(disk / "data", work.jobs); });
}

TEST_CASE("an import that loses its power leaves what was there, and whole jobs",
          "[fault][power]") {
  kept_work work, other;
  auto from = disk_of(work);
  auto exported = troupe_with(other.in, {"export", "--output", (from / "jobs.ndjson").string()});
  INFO(exported.err);
  REQUIRE(exported.code == 0);
  lost_verb verb{"power, imports", from};
  verb.lose({"import", "disk/jobs.ndjson", "--data", "disk/data"},
            [&](const fs::path& disk, bool told) {
              open_once(disk / "data");
              auto found = jobs_of(disk / "data");
              for (auto& [id, job] : work.jobs)
                CHECK(found[id] == job);
              for (auto& [id, job] : found)
                if (!work.jobs.contains(id))
                  CHECK(job.records == other.jobs[id].records);
              CHECK((!told || found.size() == work.jobs.size() + other.jobs.size()));
              CHECK(wrong_in(disk / "data") == "");
            });
}

TEST_CASE("an upgrade that loses its power loses nothing", "[fault][power][upgrade]") {
  scratch in;
  auto from = in.path() / "from";
  fs::create_directory(from);
  auto unpack =
      "tar xzf " TROUPE_SOURCE_DIR "/tests/storage/data/first_light.tar.gz -C " + from.string();
  REQUIRE(std::system(unpack.c_str()) == 0);
  auto jobs = jobs_of(from / "d");
  REQUIRE(jobs.size() == 3);
  lost_verb verb{"power, upgrades", from};
  verb.lose({"jobs", "purge", "--older-than", "100000h", "--yes", "--data", "disk/d"},
            [&](const fs::path& disk, bool) {
              open_once(disk / "d");
              CHECK(jobs_of(disk / "d") == jobs);
              CHECK(wrong_in(disk / "d") == "");
            });
}
