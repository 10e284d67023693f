#include "node/security/key_ring.hpp"
#include "node/security/key_rules.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <atomic>
#include <fstream>
#include <set>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

constexpr core::shard_time some_time{1'700'000'000'000ms};

struct fixture {
  tests::temp_dir directory;
  std::filesystem::path file = directory.path() / "data" / "keys.json";

  new_key create(role r, namespace_id ns = {}) {
    auto made = create_key(file, r, "name", ns, some_time);
    REQUIRE(made);
    return *made;
  }
  std::unique_ptr<key_ring> open() {
    auto ring = key_ring::open(file);
    REQUIRE(ring);
    return std::move(*ring);
  }
};

} // namespace

TEST_CASE("only the roles in the table may do what it says", "[security]") {
  std::set<std::string> allowed;
  for (int who = 0; who <= int(last(role{})); ++who)
    for (int what = 0; what <= int(last(action{})); ++what)
      if (may(role(who), action(what)))
        allowed.insert(std::string{to_string(role(who))} + " "
                       + std::string{to_string(action(what))});
  CHECK(allowed
        == std::set<std::string>{"viewer look", "viewer read_blobs", "worker work",
                                 "worker read_blobs", "worker store_blobs", "operator look",
                                 "operator submit", "operator control", "operator remove",
                                 "operator read_blobs", "operator store_blobs", "admin look",
                                 "admin submit", "admin control", "admin remove", "admin work",
                                 "admin manage_keys", "admin read_blobs", "admin store_blobs"});
  for (auto name : role_names())
    CHECK(to_string(*parse_role(name)) == name);
  CHECK_FALSE(parse_role("root"));
}

TEST_CASE_METHOD(fixture, "a key lets its holder in as what it was made for", "[security]") {
  auto made = create(role::operator_, namespace_id{7});
  auto ring = open();
  auto who = ring->check(made.text, false);
  REQUIRE(who);
  CHECK(*who == principal{made.stored.id, "name", namespace_id{7}, role::operator_});
}

TEST_CASE_METHOD(fixture, "what is not a key lets nobody in", "[security]") {
  auto made = create(role::admin);
  auto ring = open();
  auto other = made.text;
  other.back() = other.back() == 'A' ? 'B' : 'A';
  for (auto text : {std::string{}, other, made.text + "x", made.text.substr(0, 13),
                    std::string{"trp_"}, made.stored.id, storage::to_hex(made.stored.hash)})
    CHECK_FALSE(ring->check(text, true));
}

TEST_CASE_METHOD(fixture, "a key has 256 random bits and its file only its hash", "[security]") {
  std::set<std::string> all;
  for (int i = 0; i < 20; ++i) {
    auto made = create(role::viewer);
    CHECK(made.text.size() == 3 + 1 + 8 + 1 + 43); // 32 bytes are 43 digits of base 64.
    CHECK(id_of_key(made.text) == made.stored.id);
    all.insert(made.text.substr(13));
    CHECK(tests::read_file(file).find(made.text.substr(13)) == std::string::npos);
  }
  CHECK(all.size() == 20);
  struct stat about {};
  REQUIRE(::stat(file.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE_METHOD(fixture, "keys are read back as they were written", "[security]") {
  auto first = create(role::viewer).stored, second = create(role::admin).stored;
  auto read = read_keys(file);
  REQUIRE(read);
  CHECK(*read == std::vector<stored_key>{first, second});
}

TEST_CASE_METHOD(fixture, "a running node notices new and revoked keys", "[security]") {
  auto first = create(role::viewer);
  auto ring = open();
  auto now = key_ring::clock::now();
  auto second = create(role::worker);
  ring->look(now);
  CHECK(ring->check(second.text, false));
  REQUIRE(revoke_key(file, first.stored.id));
  ring->look(now + keys_poll - 1ms);
  CHECK(ring->check(first.text, false)); // Not looked at yet.
  ring->look(now + keys_poll);
  CHECK_FALSE(ring->check(first.text, false));
  CHECK(revoke_key(file, first.stored.id).code() == ec::condition_failed);
}

TEST_CASE_METHOD(fixture, "a key file that breaks or goes lets nobody else in", "[security]") {
  auto made = create(role::viewer);
  std::vector<error> told;
  auto opened = key_ring::open(file, [&](const error& x) { told.push_back(x); });
  REQUIRE(opened);
  auto& ring = **opened;
  std::ofstream{file} << "{}";
  ring.refresh();
  CHECK(ring.check(made.text, true));
  CHECK_FALSE(ring.check("", true));
  REQUIRE(told.size() == 1);
  CHECK(told[0].code == ec::invalid_spec);
  std::filesystem::remove(file);
  ring.refresh();
  CHECK_FALSE(ring.check("", true));
  CHECK(told.size() == 2);
  CHECK(told[1].code == ec::io_failed);
}

TEST_CASE_METHOD(fixture, "a file of keys that nobody can read shuts a node without keys",
                 "[security]") {
  std::vector<error> told;
  auto opened = key_ring::open(file, [&](const error& x) { told.push_back(x); });
  REQUIRE(opened);
  auto& ring = **opened;
  CHECK(ring.check("", true));
  std::filesystem::create_directories(file); // Cannot be read as a file, by root neither.
  ring.refresh();
  CHECK_FALSE(ring.check("", true));
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0].detail, Catch::Contains("every caller is refused"));
  std::filesystem::remove(file);
  ring.refresh();
  CHECK(ring.check("", true));
  auto made = create(role::admin);
  ring.refresh();
  CHECK(ring.check(made.text, true));
  CHECK_FALSE(ring.check("", true));
}

TEST_CASE_METHOD(fixture, "keys that root makes and revokes stay those of the node's user",
                 "[security]") {
  if (::geteuid() != 0)
    return; // Only root can give files away.
  constexpr uid_t nobody = 65534;
  std::filesystem::create_directories(file.parent_path());
  REQUIRE(::chown(file.parent_path().c_str(), nobody, nobody) == 0);
  auto owner = [](const std::filesystem::path& x) {
    struct stat about {};
    REQUIRE(::stat(x.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    return about.st_uid;
  };
  auto lock = file;
  lock += ".lock";
  auto made = create(role::admin);
  CHECK(owner(file) == nobody);
  CHECK(owner(lock) == nobody);
  REQUIRE(::chown(file.c_str(), 1234, 1234) == 0);
  REQUIRE(revoke_key(file, made.stored.id));
  CHECK(owner(file) == 1234);
  REQUIRE(::chown(file.c_str(), 0, 0) == 0); // As earlier versions left it.
  REQUIRE(::chown(lock.c_str(), 0, 0) == 0);
  create(role::admin);
  CHECK(owner(file) == nobody);
  CHECK(owner(lock) == nobody);
}

TEST_CASE_METHOD(fixture, "only who makes a key makes the directory", "[security]") {
  CHECK(revoke_key(file, "00000001").code() == ec::condition_failed);
  CHECK_FALSE(std::filesystem::exists(file.parent_path()));
}

TEST_CASE_METHOD(fixture, "a file of keys that could not be read is read again", "[security]") {
  auto revoked = create(role::viewer), kept = create(role::viewer);
  std::vector<error> told;
  auto opened = key_ring::open(file, [&](const error& x) { told.push_back(x); });
  REQUIRE(opened);
  auto& ring = **opened;
  REQUIRE(revoke_key(file, revoked.stored.id));
  auto good = tests::read_file(file);
  auto time = std::filesystem::last_write_time(file);
  auto write = [&](const std::string& text) { // As a read that fails: the file stays the same one.
    std::ofstream{file} << text;
    std::filesystem::last_write_time(file, time);
  };
  write(std::string(good.size(), ' '));
  ring.refresh();
  ring.refresh();
  CHECK(told.size() == 1);
  CHECK(ring.check(revoked.text, false));
  write(good);
  ring.refresh();
  CHECK_FALSE(ring.check(revoked.text, false));
  CHECK(ring.check(kept.text, false));
}

TEST_CASE_METHOD(fixture, "without keys everybody is admin only where that is allowed",
                 "[security]") {
  auto ring = open();
  CHECK_FALSE(ring->has_keys());
  auto who = ring->check("", true);
  REQUIRE(who);
  CHECK(who->role == role::admin);
  CHECK_FALSE(ring->check("", false));
}

TEST_CASE_METHOD(fixture, "a file that is no file of keys is refused with the place",
                 "[security]") {
  std::filesystem::create_directories(file.parent_path());
  auto why = [&](const char* text) {
    std::ofstream{file} << text;
    auto read = read_keys(file);
    CHECK(read.code() == ec::invalid_spec);
    return read ? std::string{} : read.error().detail;
  };
  CHECK_THAT(why("{"), Catch::Contains("line 1"));
  CHECK_THAT(why("[]"), Catch::Contains("version 1"));
  CHECK_THAT(why(R"({"version": 1, "keys": [{"id": "a"}]})"), Catch::Contains("/keys/0"));
  CHECK_THAT(why(R"({"version": 1, "keys": [{"id": "a", "name": "n", "role": "root",
     "namespace": 0, "sha256": "", "created_at": "2026-01-01T00:00:00Z"}]})"),
             Catch::Contains("/keys/0/role") || Catch::Contains("/keys/0/sha256"));
  CHECK(key_ring::open(file).code() == ec::invalid_spec);
  CHECK(create_key(file, role::admin, "n", {}, some_time).code() == ec::invalid_spec);
}

TEST_CASE_METHOD(fixture, "keys that are made at once are all kept", "[security]") {
  std::vector<std::jthread> makers;
  std::atomic<int> made = 0;
  for (int i = 0; i < 4; ++i)
    makers.emplace_back([&] {
      for (int j = 0; j < 5; ++j)
        made += bool(create_key(file, role::viewer, "n", {}, some_time));
    });
  makers.clear();
  CHECK(made == 20);
  CHECK(read_keys(file)->size() == 20);
}

TEST_CASE_METHOD(fixture, "a key needs a name that is one", "[security]") {
  CHECK(create_key(file, role::admin, "a b", {}, some_time).code() == ec::invalid_spec);
  CHECK(create_key(file, role::admin, "", {}, some_time).code() == ec::invalid_spec);
}

TEST_CASE_METHOD(fixture, "a change of keys that is not allowed changes nothing", "[security]") {
  auto made = create(role::admin);
  auto content = tests::read_file(file);
  std::vector<stored_key> shown;
  auto refused = [&](const std::vector<stored_key>& there) -> status {
    shown = there;
    return error{ec::illegal_request, "no"};
  };
  CHECK(create_key(file, role::viewer, "n", {}, some_time, refused).code() == ec::illegal_request);
  CHECK(revoke_key(file, made.stored.id, refused).code() == ec::illegal_request);
  CHECK(shown == std::vector<stored_key>{made.stored});
  CHECK(tests::read_file(file) == content);
}

TEST_CASE_METHOD(fixture, "what a node changes itself it sees at once", "[security]") {
  auto first = create(role::viewer);
  auto ring = open();
  auto time = std::filesystem::last_write_time(file);
  auto again = tests::read_file(file);
  REQUIRE(revoke_key(file, first.stored.id));
  ring->refresh_changed();
  CHECK_FALSE(ring->check(first.text, false));
  // A file that looks as the one before is read, too.
  auto mark = tests::read_file(file);
  std::ofstream{file} << again;
  std::filesystem::last_write_time(file, time);
  ring->refresh();
  REQUIRE(ring->check(first.text, false));
  std::ofstream{file} << mark << std::string(again.size() - mark.size(), ' ');
  std::filesystem::last_write_time(file, time);
  ring->refresh();
  REQUIRE(ring->check(first.text, false));
  ring->refresh_changed();
  CHECK_FALSE(ring->check(first.text, false));
}

TEST_CASE("an admin makes and revokes keys of its own namespace only", "[security]") {
  stored_key mine{"00000001", "a", role::admin, namespace_id{7}, {}, some_time};
  stored_key other{"00000002", "b", role::admin, namespace_id{7}, {}, some_time};
  stored_key foreign{"00000003", "c", role::admin, namespace_id{8}, {}, some_time};
  std::vector<stored_key> there{mine, other, foreign};
  principal who{mine.id, mine.name, mine.ns, mine.role};
  using enum key_verdict;
  CHECK(may_create(who, role::viewer, namespace_id{7}, there) == allowed);
  CHECK(may_create(who, role::viewer, namespace_id{8}, there) == other_namespace);
  CHECK(may_revoke(who, other.id, there) == allowed);
  CHECK(may_revoke(who, mine.id, there) == own_key);
  CHECK(may_revoke(who, foreign.id, there) == no_such_key);
  CHECK(may_revoke(who, "00000004", there) == no_such_key);
  CHECK(keys_of(who, there) == std::vector{mine, other});
  there.erase(there.begin()); // Somebody has revoked the asking key meanwhile.
  CHECK(may_create(who, role::viewer, namespace_id{7}, there) == caller_gone);
  CHECK(may_revoke(who, other.id, there) == caller_gone);
}

TEST_CASE("the first key of a node must be able to make others", "[security]") {
  principal anyone{{}, "anyone", {}, role::admin};
  using enum key_verdict;
  for (auto what : {role::viewer, role::worker, role::operator_})
    CHECK(may_create(anyone, what, {}, {}) == first_not_admin);
  CHECK(may_create(anyone, role::admin, {}, {}) == allowed);
  std::vector<stored_key> there{{"00000001", "a", role::admin, {}, {}, some_time}};
  CHECK(may_create(anyone, role::admin, {}, there) == caller_gone);
  CHECK(may_revoke(anyone, "00000001", there) == caller_gone);
}
