#include "storage/backup.hpp"
#include "storage/restore.hpp"
#include "tests/fault/kept_work.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr int verify_each = 4; // It takes longer than the rest.

/// Killed at each step of a verb.
class source : public kept_work {
public:
  explicit source(const char* of) : seed_(chosen_seed(of)), random(seed_) {}

  /// Runs `troupe` with these arguments once for each step that it may die at, and `check` after
  /// each; `renew` before.
  template <class Renew, class Check>
  void die_at_each_step(const std::vector<std::string>& arguments, Renew renew, Check check) {
    CAPTURE(seed_);
    auto died = each_step(random, [&](std::uint64_t n) {
      CAPTURE(n);
      renew();
      auto ended = dies_at(in, in.path(), n, arguments);
      INFO(ended.err);
      REQUIRE((ended.code == killed || ended.code == 0));
      check(ended.code == 0);
      return ended.code == killed;
    });
    std::cout << arguments.front() << " was killed at " << died << " steps" << std::endl;
    CHECK(died > 4);
  }

  void check_unharmed() {
    CHECK(jobs_of(data) == jobs);
    if (++looks_ % verify_each == 0)
      CHECK(wrong_in(data) == "");
  }

private:
  std::uint64_t seed_;
  int looks_ = 0;

public:
  std::mt19937_64 random;
};

void remove_all(std::initializer_list<fs::path> all) {
  for (auto& x : all)
    fs::remove_all(x);
}

/// What a restore left that was killed: nobody opens it, and nobody restores over it.
void check_unfinished(const scratch& in, const fs::path& target, const fs::path& partial) {
  if (!fs::exists(partial))
    return;
  auto again = troupe_with(in, {"restore", "backup", "--data", "other"});
  CHECK(refused(again, "E0020", 4));
  CHECK(has(again.err, partial.string()));
  if (partial.parent_path() == target)
    CHECK(actors::open_store({.data_dir = target}).code() == ec::journal_corrupt);
  CHECK_FALSE(fs::exists(target / "MANIFEST"));
}

} // namespace

TEST_CASE("a backup that is killed at any step is whole or is none, and harms nothing",
          "[fault][steps]") {
  auto is_there = GENERATE(false, true); // The target, as an empty directory.
  CAPTURE(is_there);
  source from{"killed backups"};
  auto target = from.at("backup"), made = target / "BACKUP", other = from.at("other"),
       partial = is_there ? target / "copy.partial" : from.at("backup.partial");
  from.die_at_each_step(
      {"backup", "backup"},
      [&] {
        remove_all({target, partial});
        if (is_there)
          fs::create_directory(target);
      },
      [&](bool ended) {
        from.check_unharmed();
        if (fs::exists(partial)) {
          if (storage::restore(partial, other)) // Only its name was missing.
            CHECK(jobs_of(other) == from.jobs);
          fs::remove_all(other);
          CHECK(refused(troupe_with(from.in, {"backup", "backup"}), "E0020", 4));
        }
        CHECK((!ended || fs::exists(made)));
        if (!fs::exists(made))
          return;
        CHECK(wrong_in(target) == "");
        REQUIRE(storage::restore(target, other));
        CHECK(jobs_of(other) == from.jobs);
        fs::remove_all(other);
      });
}

TEST_CASE("a restore that is killed at any step is whole or is none, and harms no backup",
          "[fault][steps]") {
  auto is_there = GENERATE(false, true); // The target, as an empty directory.
  CAPTURE(is_there);
  source from{"killed restores"};
  REQUIRE(storage::back_up(from.data, from.at("backup")));
  auto target = from.at("other"), made = target / "MANIFEST",
       partial = is_there ? target / "copy.partial" : from.at("other.partial");
  from.die_at_each_step(
      {"restore", "backup", "--data", "other"},
      [&] {
        remove_all({target, partial});
        if (is_there)
          fs::create_directory(target);
      },
      [&](bool ended) {
        CHECK(wrong_in(from.at("backup")) == "");
        CHECK((!ended || fs::exists(made)));
        if (!fs::exists(made)) {
          check_unfinished(from.in, target, partial);
          return;
        }
        CHECK(jobs_of(target) == from.jobs);
        open_once(target);
        CHECK(jobs_of(target) == from.jobs);
        CHECK(wrong_in(target) == "");
        CHECK((!is_there || !fs::exists(partial)));
      });
}

TEST_CASE("compacting that is killed at any step leaves every job and can be repeated",
          "[fault][steps]") {
  source from{"killed compacts"};
  from.waste_pages();
  auto kept = from.at("kept");
  fs::copy(from.data, kept, fs::copy_options::recursive);
  from.die_at_each_step(
      {"compact"},
      [&] {
        fs::remove_all(from.data);
        fs::copy(kept, from.data, fs::copy_options::recursive);
      },
      [&](bool) {
        from.check_unharmed();
        auto again = troupe_with(from.in, {"compact"});
        INFO(again.err);
        CHECK(again.code == 0);
        from.check_unharmed();
      });
}

TEST_CASE("an import that is killed at any step leaves whole jobs only and can be repeated",
          "[fault][steps]") {
  source from{"killed imports"};
  auto exported = troupe_with(from.in, {"export", "--output", "jobs.ndjson"});
  INFO(exported.err);
  REQUIRE(exported.code == 0);
  auto target = from.at("other");
  from.die_at_each_step(
      {"import", "jobs.ndjson", "--data", "other"}, [&] { fs::remove_all(target); },
      [&](bool ended) {
        if (fs::exists(target / "MANIFEST"))
          for (auto& [id, job] : jobs_of(target))
            CHECK(job.records == from.jobs[id].records);
        CHECK((!ended || jobs_of(target).size() == 3));
        auto again =
            troupe_with(from.in, {"import", "jobs.ndjson", "--data", "other", "--skip-existing"});
        INFO(again.err);
        CHECK(again.code == 0);
        CHECK(jobs_of(target).size() == 3);
        open_once(target);
        CHECK(jobs_of(target).size() == 3);
        CHECK(wrong_in(target) == "");
      });
}

TEST_CASE("an export that is killed at any step is refused as a whole or is whole",
          "[fault][steps]") {
  source from{"killed exports"};
  auto file = from.at("jobs.ndjson");
  from.die_at_each_step(
      {"export", "--output", "jobs.ndjson"}, [&] { fs::remove(file); },
      [&](bool ended) {
        from.check_unharmed();
        CHECK((!ended || fs::exists(file)));
        if (!fs::exists(file))
          return;
        auto taken = troupe_with(from.in, {"import", "jobs.ndjson", "--data", "other"});
        INFO(taken.err);
        CHECK((taken.code == 0 || refused(taken, "E0021", 1)));
        if (taken.code == 0)
          CHECK(jobs_of(from.at("other")).size() == 3);
        fs::remove_all(from.at("other"));
      });
}
