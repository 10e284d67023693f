#include "tests/fault/program.hpp"
#include "tests/support/power_model.hpp"

#include <set>

using namespace troupe::tests;

namespace {

using kind = fault_record::kind;

/// A directory that the test tells what is done to it, and loses the power of.
class disk {
public:
  disk() : model(from_.path()) {}

  std::uint64_t make(const std::string& name, kind what = kind::make) {
    fault_record x;
    x.what = what;
    x.name = whole(name);
    x.inode = ++inode_;
    add(x);
    return x.inode;
  }
  void write(std::uint64_t inode, std::uint64_t offset, const std::string& data,
             bool durable = false) {
    fault_record x;
    x.what = kind::write;
    x.inode = inode;
    x.offset = offset;
    x.size = data.size();
    x.data = data;
    x.durable = durable;
    add(x);
  }
  void resize(std::uint64_t inode, std::uint64_t size) {
    fault_record x;
    x.what = kind::resize;
    x.inode = inode;
    x.size = size;
    add(x);
  }
  void rename(const std::string& from, const std::string& to) {
    fault_record x;
    x.what = kind::rename;
    x.name = whole(from);
    x.to = whole(to);
    add(x);
  }
  void exchange(const std::string& one, const std::string& other) {
    fault_record x;
    x.what = kind::exchange;
    x.name = whole(one);
    x.to = whole(other);
    add(x);
  }
  void unlink(const std::string& name) {
    fault_record x;
    x.what = kind::unlink;
    x.name = whole(name);
    add(x);
  }
  void sync(std::uint64_t inode, std::uint64_t before = UINT64_MAX) {
    fault_record x;
    x.what = kind::sync;
    x.inode = inode;
    x.covers = std::min(before, clock_ + 1);
    add(x);
  }
  void sync_top() {
    struct stat about {};
    REQUIRE(::stat(from_.path().c_str(), &about) == 0);
    sync(about.st_ino);
  }
  std::uint64_t now() const { return clock_; }

  /// Files and their contents, as one loss leaves them.
  std::map<std::string, std::string> left(fate how, std::uint64_t seed = 0) const {
    std::mt19937_64 random{seed};
    scratch to;
    auto target = to.path() / "left";
    model.leave(target, how, random);
    std::map<std::string, std::string> all;
    for (auto& x : fs::recursive_directory_iterator{target})
      all[fs::relative(x.path(), target)] = x.is_directory() ? "/" : read_file(x.path());
    return all;
  }

  /// All that 200 losses leave.
  std::set<std::map<std::string, std::string>> all_left() const {
    std::set<std::map<std::string, std::string>> all{left(fate::none), left(fate::all)};
    for (std::uint64_t seed = 0; seed < 200; ++seed)
      all.insert(left(fate::chosen, seed));
    return all;
  }

private:
  std::string whole(const std::string& name) const { return fs::canonical(from_.path()) / name; }
  void add(fault_record& x) {
    x.at = ++clock_;
    model.begin(x);
    model.end(x);
  }

  scratch from_;
  std::uint64_t inode_ = 1, clock_ = 0;

public:
  power_model model;
};

const std::string a(600, 'a'), b(600, 'b');

} // namespace

TEST_CASE("what was synced before a power loss is there, whatever else is", "[fault][power]") {
  disk x;
  auto file = x.make("file");
  x.write(file, 0, a);
  x.sync(file);
  x.sync_top();
  auto sure = std::map<std::string, std::string>{{"file", a}};
  CHECK(x.all_left() == std::set{sure});

  x.write(file, 0, b);
  CHECK(x.left(fate::none) == sure);
  CHECK(x.left(fate::all).at("file") == b);
  std::set<std::string> seen;
  for (auto& left : x.all_left())
    seen.insert(left.at("file"));
  CHECK(seen
        == std::set{a, b, std::string(512, 'b') + std::string(88, 'a'),
                    std::string(512, 'a') + std::string(88, 'b')}); // Torn at a sector.
}

TEST_CASE("a sync covers what was done before it began only", "[fault][power]") {
  disk x;
  auto file = x.make("file");
  x.sync_top();
  x.write(file, 0, "a");
  auto began = x.now() + 1;
  x.write(file, 0, "b");
  x.sync(file, began);
  CHECK(x.all_left()
        == std::set<std::map<std::string, std::string>>{{{"file", "a"}}, {{"file", "b"}}});
}

TEST_CASE("a write that is durable at once takes along what its sectors held", "[fault][power]") {
  disk x;
  auto file = x.make("file");
  x.sync_top();
  x.write(file, 0, std::string(1024, '1'));
  x.write(file, 8, "meta", true);
  auto least = x.left(fate::none).at("file");
  CHECK(least.substr(0, 16) == "11111111meta1111");
  CHECK(least.find('1', 512) == least.npos);
  std::set<std::size_t> sizes;
  for (auto& left : x.all_left())
    sizes.insert(left.at("file").size());
  CHECK(sizes == std::set<std::size_t>{1024});
}

TEST_CASE("a name stays only if its directory was synced", "[fault][power]") {
  using left = std::map<std::string, std::string>;
  disk x;
  auto folder = x.make("folder", kind::make_directory);
  auto file = x.make("folder/tmp");
  x.write(file, 0, "a");
  x.sync(file);
  x.sync(folder);
  CHECK(x.all_left() == std::set<left>{{}, {{"folder", "/"}, {"folder/tmp", "a"}}});
  x.sync_top();
  x.rename("folder/tmp", "folder/name");
  CHECK(x.all_left()
        == std::set<left>{{{"folder", "/"}, {"folder/tmp", "a"}},
                          {{"folder", "/"}, {"folder/name", "a"}}});
  x.sync(folder);
  x.unlink("folder/name");
  CHECK(x.all_left() == std::set<left>{{{"folder", "/"}, {"folder/name", "a"}}, {{"folder", "/"}}});
}

TEST_CASE("a rename between directories leaves one name or both", "[fault][power]") {
  using left = std::map<std::string, std::string>;
  disk x;
  auto to = x.make("to", kind::make_directory);
  auto from = x.make("from", kind::make_directory);
  x.make("from/file");
  x.sync(from);
  x.sync(to);
  x.sync_top();
  x.rename("from/file", "to/file");
  const left before{{"from", "/"}, {"to", "/"}, {"from/file", ""}};
  const left after{{"from", "/"}, {"to", "/"}, {"to/file", ""}};
  left both = before;
  both["to/file"] = "";
  CHECK(x.all_left() == std::set<left>{before, after, both});
  x.sync(to);
  CHECK(x.all_left() == std::set<left>{after, both});
}

TEST_CASE("names that change places do so at once or not at all", "[fault][power]") {
  using left = std::map<std::string, std::string>;
  disk x;
  x.make("one", kind::make_directory);
  auto other = x.make("other", kind::make_directory);
  x.make("other/file");
  x.sync(other);
  x.sync_top();
  x.exchange("one", "other");
  const left before{{"one", "/"}, {"other", "/"}, {"other/file", ""}};
  const left after{{"one", "/"}, {"other", "/"}, {"one/file", ""}};
  CHECK(x.all_left() == std::set<left>{before, after});
  x.sync_top();
  CHECK(x.all_left() == std::set<left>{after});
}

TEST_CASE("a sync of the file system covers every file and name", "[fault][power]") {
  using left = std::map<std::string, std::string>;
  disk x;
  x.make("in", kind::make_directory);
  auto file = x.make("in/file");
  x.write(file, 0, "a");
  x.sync(0);
  CHECK(x.all_left() == std::set<left>{{{"in", "/"}, {"in/file", "a"}}});
}

TEST_CASE("a file may have its new length before its content", "[fault][power]") {
  disk x;
  auto file = x.make("file");
  x.sync_top();
  x.resize(file, 3);
  x.write(file, 3, "abc");
  std::set<std::string> seen;
  for (auto& left : x.all_left())
    seen.insert(left.at("file"));
  CHECK(seen
        == std::set<std::string>{"", std::string(3, '\0'), std::string(6, '\0'),
                                 std::string(3, '\0') + "abc"});
}
