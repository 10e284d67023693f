#include "tests/fault/fault_graphs.hpp"
#include "tests/fault/records.hpp"

#include <set>

using namespace troupe;
using namespace troupe::tests;
using steady = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t kills_max = 4; // One fewer than an attempt may be delivered again.
constexpr std::uint64_t rounds_wanted = sanitized ? 25 : 100;

/// How each vertex ended: its state and its output.
using vertex_ends = std::map<std::string, std::pair<std::string, value>>;

vertex_ends ends_of(const std::vector<value>& events) {
  vertex_ends ends;
  for (auto& x : events)
    if (text_at(x, "event") == "end_vertex" && text_at(x, "state") != "backoff") {
      auto output = x.find("data")->find("output");
      auto& end = ends[text_at(x, "vertex")];
      CHECK(end.first.empty()); // It ends once.
      end = {text_at(x, "state"), output ? *output : value{}};
    }
  return ends;
}

/// A graph, and what an undisturbed run of it comes to.
struct subject {
  std::string graph;
  std::chrono::microseconds length{};
  vertex_ends ends;
  value end;
};

subject calm(std::string graph) {
  subject x{std::move(graph), {}, {}, {}};
  for (int i = 0; i < 2; ++i) { // The second time programs and files are in memory.
    scratch in;
    in.write("g.json", x.graph);
    auto began = steady::now();
    auto run = troupe_with(in, {"run", "g.json", "-o", "ndjson"});
    x.length = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - began);
    INFO(run.err);
    REQUIRE(run.code == 0);
    auto events = lines_of(run.out);
    REQUIRE(gapless(events));
    x.ends = ends_of(events);
    x.end = *events.back().find("data");
  }
  return x;
}

/// What became of a round's kills.
struct tally {
  std::uint64_t rounds = 0, kills = 0, before_job = 0, middle = 0, after_end = 0;
};

class kill_round {
public:
  kill_round(const subject& of, std::mt19937_64& random, tally& all)
      : of_(of), random_(random), all_(all) {
    in_.write("g.json", of.graph);
  }

  void play() {
    ::setenv("TROUPE_FAULT_ROUND", mark().c_str(), 1);
    auto left = of_.length;
    for (auto kills = 1 + random_() % kills_max; kills > 0 && !ended_; --kills)
      kill_once(left);
    if (!ended_) {
      auto last = troupe_with(in_, next_);
      INFO(last.err);
      REQUIRE(last.code == 0);
      told_.push_back(last.out);
    }
    check();
    CHECK(eventually([&] { return !anyone_left(in_.path(), "TROUPE_FAULT_ROUND=" + mark()); }));
  }

private:
  std::string mark() const { return in_.path().filename().string(); }

  /// Kills the run at a moment of what is left of it, and looks what there is.
  void kill_once(std::chrono::microseconds& left) {
    auto moment = std::chrono::microseconds{random_() % static_cast<std::uint64_t>(left.count())};
    process run{in_, next_};
    timespec until{moment.count() / 1'000'000, moment.count() % 1'000'000 * 1000};
    ::ppoll(nullptr, 0, &until, nullptr); // The moment is the fault.
    run.send(SIGKILL);
    auto was = run.wait();
    INFO(was.err);
    REQUIRE((was.code == 0 || was.code == 128 + SIGKILL));
    ++all_.kills;
    left = std::max(left - moment, of_.length / 4);
    auto jobs = jobs_in(in_);
    REQUIRE(jobs.size() <= 1);
    if (jobs.empty())
      return nothing_yet(was);
    told_.push_back(was.out);
    ended_ =
        text_at(jobs.front(), "state") != "running" && text_at(jobs.front(), "state") != "pending";
    ++(ended_ ? all_.after_end : all_.middle);
    next_ = {"run", "--resume", "-o", "ndjson"};
  }

  /// The job was not acknowledged, so nobody may have been told of it.
  void nothing_yet(const outcome& was) {
    ++all_.before_job;
    CHECK(was.out.empty());
    CHECK(told_.empty());
    auto data = in_.path() / ".troupe";
    auto was_made = fs::exists(data / "MANIFEST") || fs::exists(data / "journal");
    auto resumed = troupe_with(in_, {"run", "--resume"});
    CHECK(refused(resumed, was_made ? "E0007" : "E0010", 3));
  }

  void check() {
    auto jobs = jobs_in(in_);
    REQUIRE(jobs.size() == 1);
    auto job = text_at(jobs.front(), "id");
    auto history = history_of(in_, job).out;
    for (auto& told : told_) // What was told once is told for ever, byte by byte.
      CHECK(std::string_view{history}.starts_with(told));
    auto events = lines_of(history);
    CHECK(gapless(events));
    CHECK(ends_of(events) == of_.ends);
    CHECK(*events.back().find("data") == of_.end);
    check_records(job);
    check_effects(job);
  }

  /// The journal itself holds each success once.
  void check_records(const std::string& job) {
    auto successes = recorded_successes(in_.path() / ".troupe", job);
    for (auto& [vertex, end] : of_.ends) {
      CAPTURE(vertex);
      CHECK(successes[vertex] == (end.first == "succeeded" ? 1 : 0));
    }
  }

  /// Effects happen at least once, each under the key of its vertex.
  void check_effects(const std::string& job) {
    std::set<std::string> keys;
    std::ifstream file{in_.path() / "effects"};
    for (std::string key; std::getline(file, key); keys.insert(key)) {
      CAPTURE(key);
      REQUIRE(key.starts_with(job + "/"));
      CHECK(of_.ends.contains(key.substr(job.size() + 1)));
    }
    auto graph = json_of(of_.graph);
    for (auto& vertex : *graph.find("vertices")->items())
      if (text_at(vertex, "kind") == "exec")
        CHECK(keys.contains(job + "/" + text_at(vertex, "id")));
  }

  const subject& of_;
  std::mt19937_64& random_;
  tally& all_;
  scratch in_;
  std::vector<std::string> next_{"run", "g.json", "-o", "ndjson"};
  std::vector<std::string> told_; ///< By each run, in order.
  bool ended_ = false;
};

} // namespace

TEST_CASE("kill -9 at random moments loses, repeats and changes nothing", "[fault][kill]") {
  auto seed = chosen_seed("kill -9");
  auto rounds = setting("TROUPE_KILL_ROUNDS", rounds_wanted);
  scratch in;
  const subject subjects[] = {calm(montage_graph(in)), calm(effects_graph()), calm(pure_graph()),
                              calm(retries_graph())};
  tally all;
  for (; all.rounds < rounds; ++all.rounds) {
    std::mt19937_64 random{seed + all.rounds};
    CAPTURE(seed, all.rounds);
    kill_round{subjects[all.rounds % std::size(subjects)], random, all}.play();
  }
  std::cout << all.rounds << " rounds, " << all.kills << " kills: " << all.before_job
            << " before there was a job, " << all.middle << " in the middle, " << all.after_end
            << " after its end" << std::endl;
  CHECK(all.middle * 2 > all.kills); // Else this proves little.
}
