#include "tests/fault/fault_graphs.hpp"
#include "tests/fault/load_checks.hpp"
#include "tests/fault/power_history.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr std::uint64_t losses_wanted = sanitized ? 100 : 900;   ///< Of `troupe run`,
constexpr std::uint64_t busy_losses_wanted = sanitized ? 5 : 20; ///< of each host under load.
constexpr std::uint64_t resume_each = sanitized ? 12 : 40;
constexpr std::uint64_t verify_each = 4;
constexpr int generations = sanitized ? 2 : 3;
constexpr int generations_max = 10;         ///< Until a segment of the journal was retired, too.
constexpr std::uint64_t busy_changes = 500; ///< At least, of each life.

/// Programs, values in blobs and in records, waiting and ended vertices.
std::string blobs_graph() {
  graph_text g;
  g.vertex("large", "exec", R"({"shell": "head -c 90000 /dev/zero | tr '\\0' x"})");
  g.vertex("larger", "noop", R"({"output": ")" + std::string(150'000, 'y') + "\"}");
  g.vertex("nap", "delay", R"({"for": "30ms"})");
  g.vertex("count", "jq", R"({"program": ".in | map(length) | add"})",
           R"("inputs": {"in": "many"})");
  g.vertex("sum", "exec", R"({"shell": "echo 7", "output": "json"})",
           R"("inputs": {"in": "many"})");
  g.edge("large", "count");
  g.edge("larger", "count");
  g.edge("nap", "sum");
  g.edge("count", "sum");
  return g.text("blobs");
}

/// What `troupe run` has told, by job: each event once, in order.
class told_events {
public:
  /// Takes what is new in a text that only grows; a line that is not whole does not count.
  void take(const std::string& told) {
    for (std::size_t end; (end = told.find('\n', seen_)) != told.npos; seen_ = end + 1) {
      auto line = told.substr(seen_, end - seen_);
      auto event = json_of(line);
      auto& of = jobs[text_at(event, "job")];
      auto id = static_cast<std::size_t>(*event.find("id")->integer());
      REQUIRE(id <= of.size() + 1);
      if (id == of.size() + 1)
        of.push_back(line);
      CHECK(of[id - 1] == line); // A resumed job tells the same once more.
    }
  }
  std::map<std::string, std::vector<std::string>> jobs;

private:
  std::size_t seen_ = 0;
};

/// The events that the store knows of a job.
std::uint64_t events_in(const actors::store& from, const std::string& job) {
  auto graphs = std::make_shared<actors::graph_store>(from.blobs);
  auto source = [graphs](namespace_id ns, const graph_id& id) {
    auto found = graphs->find(ns, id);
    return found ? *found : nullptr;
  };
  auto id = *parse_job_id(job);
  auto shard = core::index_of(core::shard_of(slot_of(id), from.directory->about().shards));
  storage::view::replay_state at;
  auto done =
      from.shards[shard].view->replay(id, source, at, [](auto&, auto&, auto&) { return true; });
  INFO(job << " " << done.error().detail);
  REQUIRE(done);
  return at.job->events;
}

/// Some runs of `troupe`, and all that must be true of them after each loss of power.
class lost_runs {
public:
  explicit lost_runs(std::mt19937_64& random) : random_(random) {
    all_.in.write("blobs.json", blobs_graph());
    all_.in.write("pure.json", pure_graph());
    auto run = [&](const char* graph) -> std::vector<std::string> {
      return {"run", graph, "--data", "disk/data", "-o", "ndjson"};
    };
    auto whole = all_.run(run("blobs.json"));
    INFO(whole.err);
    REQUIRE(whole.code == 0);
    auto broken = all_.run(run("pure.json"), 30 + random_() % 60);
    INFO(broken.err);
    auto resumed = all_.run({"run", "--resume", "--data", "disk/data", "-o", "ndjson"});
    INFO(resumed.err);
    REQUIRE((resumed.code == 0 || resumed.code == 3));
    final_ = jobs_of(all_.data());
    REQUIRE_FALSE(final_.empty());
    for (auto& job : jobs_in(all_.in, "disk/data"))
      history_[text_at(job, "id")] = history_of(all_.in, text_at(job, "id"), "disk/data").out;
  }

  void lose(std::uint64_t wanted) {
    all_.each_moment(random_, wanted, [&](const power_history::moment& at) {
      CAPTURE(at.at);
      told_.take(at.told);
      look(at.disk);
    });
    std::cout << looks << " losses of power, " << resumed << " of them resumed" << std::endl;
  }

  std::uint64_t looks = 0, resumed = 0;

private:
  void look(const power_model& disk) {
    auto how = next_fate(looks++);
    CAPTURE(how);
    auto target = quick_.path() / "disk";
    fs::remove_all(target);
    disk.leave(target, how, random_);
    auto data = target / "data";
    if (fs::exists(data / "MANIFEST") && looks % verify_each == 0)
      CHECK(wrong_in(data) == "");
    check_store(data);
    if (looks % verify_each == 1)
      CHECK(wrong_in(data) == "");
    if (looks % resume_each == 0)
      resume(data);
  }

  /// It opens, all that was told is there, and nothing that never was.
  void check_store(const fs::path& data) {
    runtime_config config;
    config.data_dir = data;
    auto store = actors::open_store(config);
    INFO(why(store));
    REQUIRE(store);
    kept_jobs found;
    for (auto& shard : store->shards)
      add_jobs(found, *shard.view, *store);
    for (auto& [id, job] : found) {
      CAPTURE(to_string(id));
      REQUIRE(final_.contains(id));
      CHECK(goes_on(job, final_.at(id)));
    }
    for (auto& [job, events] : told_.jobs) {
      CAPTURE(job, events.size());
      CHECK(events_in(*store, job) >= events.size());
    }
    store->close();
  }

  /// What is left is run to the end: to the same results.
  void resume(const fs::path& data) {
    scratch in;
    for (outcome run; run.code != 3;) {
      run = troupe_with(in, {"run", "--resume", "--data", data.string(), "-o", "ndjson"});
      INFO(run.err);
      REQUIRE((run.code == 0 || run.code == 3));
      resumed += run.code == 0;
    }
    for (auto& job : jobs_in(in, data.string())) {
      auto id = text_at(job, "id");
      auto events = lines_of(history_of(in, id, data.string()).out);
      CAPTURE(id);
      CHECK(gapless(events));
      CHECK(*events.back().find("data") == *lines_of(history_.at(id)).back().find("data"));
    }
    for (auto& [id, events] : told_.jobs) {
      std::string told;
      for (auto& line : events)
        told += line + "\n";
      CHECK(std::string_view{history_of(in, id, data.string()).out}.starts_with(told));
    }
  }

  std::mt19937_64& random_;
  power_history all_;
  temp_dir quick_{quick_place()};
  kept_jobs final_;
  std::map<std::string, std::string> history_;
  told_events told_;
};

/// A host under load that loses its power, and goes on with what that left.
class lost_host {
public:
  lost_host(std::mt19937_64& random, fs::path from, promises told)
      : random_(random), all_(from), told_(std::move(told)) {}

  /// One process is killed, a second one goes on: what the first had not synced is still unsynced.
  void work() {
    auto first = told_.next();
    for (int life = 1; life <= 2; ++life) {
      auto run = all_.run({"load", all_.data().string(), std::to_string(first), "0", "40000"},
                          busy_changes + random_() % busy_changes, TROUPE_LOAD_HOST);
      INFO(run.err);
      REQUIRE(run.code == killed);
      promises known = told_;
      known.take(run.out);
      first = known.next();
    }
  }

  /// Looks at moments; what one of them leaves is `kept`, with what was told by then.
  promises lose(std::uint64_t wanted, const fs::path& kept) {
    promises told_by_kept;
    all_.each_moment(random_, wanted, [&](const power_history::moment& at) {
      CAPTURE(at.at);
      auto told = told_;
      told.take(at.told);
      auto target = quick_.path() / "disk";
      fs::remove_all(target);
      auto how = next_fate(looks++);
      CAPTURE(how);
      at.disk.leave(target, how, random_);
      if (looks == 1 || random_() % 3 == 0) {
        fs::remove_all(kept);
        fs::copy(target, kept, fs::copy_options::recursive);
        told_by_kept = told;
      }
      check(told, target / "data");
    });
    return told_by_kept;
  }

  std::uint64_t looks = 0;
  std::uint64_t retired() const { return all_.retired; }

private:
  void check(const promises& told, const fs::path& data) {
    open_once(data);
    check_promises(told, data);
    if (looks % verify_each == 0)
      CHECK(wrong_in(data) == "");
  }

  std::mt19937_64& random_;
  power_history all_;
  temp_dir quick_{quick_place()};
  promises told_;
};

} // namespace

TEST_CASE("a loss of power at any moment of a run keeps all that was told, and it goes on",
          "[fault][power]") {
  auto seed = chosen_seed("power, runs");
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  lost_runs runs{random};
  runs.lose(setting("TROUPE_POWER_LOSSES", losses_wanted));
  CHECK(runs.looks > 20);
}

TEST_CASE("losses of power under load keep every promise, one after another", "[fault][power]") {
  auto seed = chosen_seed("power under load");
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  scratch in;
  fs::path from;
  promises told;
  std::uint64_t looks = 0, retired = 0;
  for (int generation = 0;
       generation < generations || (retired == 0 && generation < generations_max); ++generation) {
    CAPTURE(generation);
    lost_host host{random, from, told};
    host.work();
    from = in.path() / std::to_string(generation);
    told = host.lose(setting("TROUPE_POWER_LOSSES", busy_losses_wanted), from);
    looks += host.looks;
    retired += host.retired();
  }
  CHECK(finish_load(from / "data") > 0);
  CHECK(wrong_in(from / "data") == "");
  std::cout << looks << " losses of power under load, " << told.acknowledged.size()
            << " jobs acknowledged, " << told.gone.size() << " deletions told, " << retired
            << " segments of the journal retired" << std::endl;
  CHECK(told.acknowledged.size() > looks);
  CHECK(retired > 0);
}

TEST_CASE("a snapshot whose making lost its power is made anew", "[fault][power]") {
  constexpr std::size_t page = 4096;
  auto lost = GENERATE(0, 1, 2); // A page, or both.
  auto pages = GENERATE(2, 3);
  scratch in;
  auto data = in.path() / "data", file = data / "snapshot" / "data.mdb";
  open_once(in.path() / "other");
  auto content = read_file(in.path() / "other" / "snapshot" / "data.mdb");
  content.resize(static_cast<std::size_t>(pages) * page);
  for (int i = 0; i < 2; ++i)
    if (lost == i || lost == 2)
      content.replace(static_cast<std::size_t>(i) * page, page, page, '\0');
  {
    auto fresh = storage::data_dir::open(data, storage::open_mode::write);
    REQUIRE(fresh);
    fs::create_directory(file.parent_path());
    std::ofstream{file, std::ios::binary} << content;
  }
  CHECK(wrong_in(data) == "");
  CHECK(jobs_of(data).empty());
  open_once(data);
  CHECK(wrong_in(data) == "");

  std::ofstream{file, std::ios::binary} << content; // It is no longer new: damage is told.
  runtime_config config;
  config.data_dir = data;
  CHECK(actors::open_store(config).code() == ec::journal_corrupt);
}
