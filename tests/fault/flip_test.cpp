#include "storage/data_dir.hpp"
#include "storage/journal_scan.hpp"
#include "tests/fault/fault_graphs.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr std::uint64_t flips_wanted = sanitized ? 40 : 200;

/// Everything that can be asked about the jobs of a directory.
struct answers {
  outcome list, get, logs;
};

answers ask(const scratch& in, const std::string& job) {
  return {troupe_with(in, {"jobs", "list", "-o", "json"}),
          troupe_with(in, {"jobs", "get", job, "-o", "json"}), history_of(in, job)};
}

/// Where the journal's one segment in use was synced up to, and ends.
storage::journal_state state_of(const fs::path& data) {
  auto directory = storage::data_dir::open(data, storage::open_mode::read);
  REQUIRE(directory);
  storage::journal_state state;
  REQUIRE(storage::scan({&directory->files(), directory->journal_path(), directory->about().owner},
                        state));
  REQUIRE(state.end.segment == 1);
  return state;
}

void flip(const fs::path& path, std::uint64_t at, char bits) {
  std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
  file.seekg(static_cast<std::streamoff>(at));
  auto was = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(was ^ bits));
}

/// The same answer or an error; a prefix too if an unsynced end may be gone.
void check_answer(const outcome& now, const outcome& before, bool may_lose_end) {
  INFO(now.out.substr(0, 1000) << now.err);
  CHECK(ended_in_order(now));
  if (now.code == 0 && !may_lose_end)
    CHECK(now.out == before.out);
  if (now.code != 0)
    CHECK(refused(now, "E01", 6) == false); // The number is whole.
}

struct place {
  fs::path file;
  std::uint64_t at;
  bool may_lose_end;
};

class flipper {
public:
  flipper(const scratch& in, std::mt19937_64& random)
      : in_(in), random_(random), data_(in.path() / ".troupe"), kept_(in.path() / "kept") {
    fs::rename(data_, kept_);
    state_ = state_of(kept_);
    for (fs::recursive_directory_iterator at{kept_}, end; at != end; ++at)
      if (at->is_regular_file() && at->path().extension() != ".seg" && at->file_size() > 0)
        others_.push_back(fs::relative(at->path(), kept_));
  }

  /// A byte of a batch mostly, else of the unused rest or of another file.
  place choose() {
    auto which = random_() % 10;
    if (which == 0) {
      auto& file = others_[random_() % others_.size()];
      return {file, random_() % fs::file_size(kept_ / file), false};
    }
    fs::path segment = "journal/0000000000000001.seg";
    auto end = state_.end.offset;
    auto at =
        which == 1 ? end + random_() % (fs::file_size(kept_ / segment) - end) : random_() % end;
    return {segment, at, at >= state_.synced.offset && at < end && !state_.marked};
  }

  /// A fresh copy with this byte changed.
  void damage(const place& x) {
    fs::remove_all(data_);
    fs::copy(kept_, data_, fs::copy_options::recursive);
    flip(data_ / x.file, x.at, static_cast<char>(1 + random_() % 255));
  }

private:
  const scratch& in_;
  std::mt19937_64& random_;
  fs::path data_, kept_;
  storage::journal_state state_;
  std::vector<fs::path> others_;
};

void check_flips(const scratch& in, std::mt19937_64& random, std::uint64_t flips) {
  auto job = text_at(jobs_in(in).front(), "id");
  auto before = ask(in, job);
  auto ended = text_at(json_of(before.get.out), "state") == "completed";
  flipper all{in, random};
  std::uint64_t told = 0, lost = 0;
  for (std::uint64_t i = 0; i < flips; ++i) {
    auto x = all.choose();
    CAPTURE(i, x.file, x.at, x.may_lose_end);
    all.damage(x);
    auto now = ask(in, job);
    check_answer(now.list, before.list, x.may_lose_end);
    check_answer(now.get, before.get, x.may_lose_end);
    check_answer(now.logs, before.logs, x.may_lose_end);
    if (now.logs.code == 0)
      CHECK(std::string_view{before.logs.out}.starts_with(now.logs.out));
    told += now.logs.code != 0;
    lost += now.logs.code == 0 && now.logs.out != before.logs.out;
    auto resumed = troupe_with(in, {"run", "--resume", "-o", "ndjson"});
    INFO(resumed.err);
    CHECK(ended_in_order(resumed));
    if (resumed.code == 0)
      CHECK(std::string_view{resumed.out}.starts_with(now.logs.out));
    if (ended && now.list.code == 0)
      CHECK((resumed.code == 3 || resumed.code == 6));
  }
  std::cout << flips << " flipped bytes: " << told << " told, " << lost << " cost an unsynced end"
            << std::endl;
  CHECK(told > flips / 4);
}

/// Where the page lies that leads to all tables: the root of the main database, as the newer one of
/// LMDB's two meta pages tells it. Writers do not say where they put it.
std::uint64_t tables_page(const fs::path& file) {
  constexpr std::uint64_t page_bytes = 4096, root_at = 128, transaction_at = 144;
  auto number_at = [&](std::uint64_t at) {
    std::ifstream in{file, std::ios::binary};
    std::uint64_t x = 0;
    in.seekg(static_cast<std::streamoff>(at)).read(reinterpret_cast<char*>(&x), sizeof x);
    return x;
  };
  auto newer = number_at(page_bytes + transaction_at) > number_at(transaction_at);
  return number_at((newer ? page_bytes : 0) + root_at) * page_bytes;
}

} // namespace

TEST_CASE("a flipped byte of an ended journal changes no answer silently", "[fault][flip]") {
  auto seed = chosen_seed("flips, ended");
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  scratch in;
  in.write("g.json", retries_graph());
  REQUIRE(troupe_with(in, {"run", "g.json"}).code == 0);
  check_flips(in, random, flips_wanted);
}

TEST_CASE("a flipped byte of a killed journal costs at most its last write", "[fault][flip]") {
  auto seed = chosen_seed("flips, killed");
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  scratch in;
  in.write("g.json", retries_graph());
  process run{in, {"run", "g.json", "-o", "ndjson"}};
  REQUIRE(eventually([&] { return count(lines_of(run.out()), "end_vertex", "flaky2") > 0; }));
  run.send(SIGKILL);
  REQUIRE(run.wait().code == 128 + SIGKILL);
  REQUIRE(jobs_in(in).size() == 1);
  check_flips(in, random, flips_wanted / 2);
}

TEST_CASE("a page of the snapshot that leads out of its file ends each verb in order",
          "[fault][flip]") {
  scratch in;
  in.write("g.json", retries_graph());
  REQUIRE(troupe_with(in, {"run", "g.json"}).code == 0);
  auto data = in.path() / ".troupe", kept = in.path() / "kept";
  fs::rename(data, kept);
  constexpr std::uint64_t first = 16, places = 64; // Of the page's rows.
  std::uint64_t led_out = 0, page = tables_page(kept / "snapshot" / "data.mdb");
  for (auto at = page + first; at < page + first + places; ++at) {
    CAPTURE(at);
    fs::remove_all(data);
    fs::copy(kept, data, fs::copy_options::recursive);
    flip(data / "snapshot" / "data.mdb", at, 0x40);
    auto now = troupe_with(in, {"jobs", "list"});
    INFO(now.err);
    CHECK(ended_in_order(now));
    led_out += has(now.err, "under the running process") || has(now.err, "lead nowhere");
  }
  CHECK(led_out > 0);
}
