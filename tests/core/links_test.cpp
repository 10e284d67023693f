#include "core/decide.hpp"
#include "core/links.hpp"
#include "core/place.hpp"
#include "tests/core/random_values.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "troupe/limits.hpp"

using namespace troupe;
using namespace troupe::core;
using namespace std::chrono_literals;
using tests::random_values;

namespace {

record shard_record(record_body body) { return {{}, shard_id{0}, {}, {}, std::move(body)}; }

link_state applied(std::initializer_list<record_body> bodies) {
  link_state x;
  for (auto& body : bodies)
    apply(x, shard_record(body));
  return x;
}

constexpr shard_id peer{1};

} // namespace

TEST_CASE("messages to a shard are numbered from 1 without gaps", "[core][links]") {
  link_state x;
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
    auto sent = decide_send(x, peer, {7});
    CHECK(sent == message_sent{peer, sequence, {7}});
    apply(x, shard_record(sent));
  }
  CHECK(decide_send(x, shard_id{2}, {}).sequence == 1);
  CHECK(resume(x).size() == 3);
  auto before = x;
  apply(x, shard_record(message_sent{peer, 9, {}})); // Does not fit.
  CHECK(x == before);
}

TEST_CASE("an acknowledgement is of every message before, too, and counts once", "[core][links]") {
  auto x =
      applied({message_sent{peer, 1, {}}, message_sent{peer, 2, {}}, message_sent{peer, 3, {}}});
  REQUIRE(decide_acknowledged(x, peer, 2));
  apply(x, shard_record(*decide_acknowledged(x, peer, 2)));
  REQUIRE(resume(x).size() == 1);
  CHECK(resume(x).front().sequence == 3);
  CHECK_FALSE(decide_acknowledged(x, peer, 1));
  CHECK_FALSE(decide_acknowledged(x, peer, 2));
  CHECK_FALSE(decide_acknowledged(x, peer, 4)); // Was never sent.
  CHECK_FALSE(decide_acknowledged(x, shard_id{3}, 1));
}

TEST_CASE("a message is fresh once and in order", "[core][links]") {
  link_state x;
  CHECK(decide_receive(x, peer, 2) == receipt::ahead);
  CHECK(decide_receive(x, peer, 1) == receipt::fresh);
  apply(x, shard_record(message_received{peer, 1}));
  CHECK(decide_receive(x, peer, 1) == receipt::repeat);
  CHECK(decide_receive(x, peer, 2) == receipt::fresh);
  CHECK(decide_receive(x, shard_id{2}, 1) == receipt::fresh);
}

TEST_CASE("what is sent again is bounded, the oldest first", "[core][links]") {
  link_state x;
  for (std::size_t i = 0; i < limits::link_window_max + 10; ++i)
    apply(x, shard_record(decide_send(x, peer, {})));
  auto again = resume(x);
  CHECK(again.size() == limits::link_window_max);
  CHECK(again.front().sequence == 1);
}

TEST_CASE("bodies of messages are read as they were written, or refused", "[core][links]") {
  random_values make{1};
  payload data{value::object{{"a", value::list{1, "b"}}}};
  message_body bodies[]{
      child_requested{namespace_id{1}, {2, 3}, 4, {5, 6}, "queue", {{7}}, data},
      child_ended{{2, 3}, 4, {5, 6}, attempt_end::failed, data, {"code", "/p", "detail"}}};
  for (auto& body : bodies) {
    auto bytes = encode_message(body);
    REQUIRE(decode_message(bytes));
    CHECK(*decode_message(bytes) == body);
    for (std::size_t length = 0; length < bytes.size(); ++length)
      REQUIRE(decode_message(byte_view{bytes}.first(length)).code() == ec::journal_corrupt);
    auto longer = bytes, newer = bytes;
    longer.push_back(0);
    CHECK(decode_message(longer).code() == ec::journal_corrupt);
    newer[2] = 2;
    CHECK(decode_message(newer).code() == ec::unknown_record);
  }
}

TEST_CASE("version 1 of each message stays as it was first written", "[core][links][golden]") {
  CHECK(encode_message(
            child_ended{{1, 2}, 3, {4, 5}, attempt_end::failed, payload{true}, {"c", "", "d"}})
        == bytes{0, 2, 1, 0, 0, 0, 0,   0, 0, 0, 1, 0, 0, 0, 0, 0,   0, 0, 2,
                 0, 0, 0, 3, 0, 0, 0,   0, 0, 0, 0, 4, 0, 0, 0, 0,   0, 0, 0,
                 5, 1, 0, 0, 0, 1, 'c', 0, 0, 0, 0, 0, 0, 0, 1, 'd', 1, 1});
  auto requested = encode_message(child_requested{namespace_id{9}, {1, 2}, 3, {4, 5}, "q", {}, {}});
  bytes front{0, 1, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0,
              0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 'q'};
  front.resize(front.size() + 32 + 1); // The graph's id, a null input.
  CHECK(requested == front);
}

TEST_CASE("a child tells its end to the attempt that waits for it", "[core][links]") {
  job child;
  child.spec = child_of({namespace_id{1}, {2, 3}, 4, {5, 6}, "queue", {{7}}, payload{"in"}});
  CHECK(child.spec.queue == "queue");
  CHECK(child.spec.input.get() == value{"in"});
  auto end_in = [&](job_state state) {
    child.state = state;
    auto end = end_of(child, payload{"out"});
    CHECK(end.parent == job_id{2, 3});
    CHECK(end.vertex == 4);
    CHECK(end.proof == token{5, 6});
    return end;
  };
  auto completed = end_in(job_state::completed);
  CHECK(completed.outcome == attempt_end::succeeded);
  CHECK(completed.output.get() == value{"out"});
  CHECK(end_in(job_state::cancelled).error.code == "child_cancelled");
  CHECK(end_in(job_state::stopped).error.code == "child_stopped");
  child.error = {"broken", "", ""};
  CHECK(end_in(job_state::failed).error.code == "broken");
  CHECK(end_in(job_state::failed).outcome == attempt_end::failed);
}

namespace {

struct packet {
  shard_id from{}, to{};
  bool acknowledges = false;
  std::uint64_t sequence = 0;
  bytes body;
};

/// Loses, repeats and reorders.
struct transport {
  std::vector<packet> under_way;
};

/// A shard whose groups become durable some time after they were decided. What it tells others
/// waits for that; a crash forgets all that is not durable.
class shard_model {
public:
  shard_model(shard_id id, transport& net, std::uint64_t seed)
      : id_(id), net_(net), random_(std::mt19937_64{seed}) {}

  std::vector<record_group> durable;
  link_state links;
  std::map<job_id, job> jobs;

  /// A job of one vertex, which asks `other` for a child.
  void start_parent(shard_id other, int input) {
    auto id = ids_.next(slot{0}, now_, random_);
    auto& x = begin(id, job_added{});
    auto decided = *decide_start(x, 0, now_, random_);
    auto proof = std::get<attempt_started>(decided.front().body).proof;
    child_requested wanted{namespace_id{1}, id, 0, proof, "children", {}, payload{input}};
    auto group = take(std::exchange(pending_, {}), x, std::move(decided));
    send(group, other, wanted);
    hold(std::move(group));
  }

  /// Ends the vertex of a child that still runs, if there is one.
  void work() {
    for (auto& [id, x] : jobs)
      if (x.spec.parent != job_id{} && !terminal(x.state)) {
        auto output = payload{value{*x.spec.input.get().integer() * 2}};
        auto group = take({}, x,
                          decide_vertices_ended(x, {{0, attempt_end::succeeded, output, {}}}, 1ms,
                                                now_, random_));
        auto parent = shard_id(index_of(id_) ^ 1);
        send(group, parent, end_of(x, payload{result_of(x, whole)}));
        return hold(std::move(group));
      }
  }

  void arrive(const packet& p) {
    if (p.acknowledges) {
      if (auto taken = decide_acknowledged(links, p.from, p.sequence))
        hold(applied_to_links({}, *taken));
      return;
    }
    auto what = decide_receive(links, p.from, p.sequence);
    if (what == receipt::fresh)
      act(p);
    if (what != receipt::ahead)
      tell_when_durable({id_, p.from, true, p.sequence, {}});
  }

  /// The first group that is not durable becomes so, and its effects leave.
  void sync() {
    if (held_.empty())
      return;
    durable.push_back(std::move(held_.front().group));
    for (auto& p : held_.front().effects)
      net_.under_way.push_back(p);
    held_.pop_front();
  }

  void send_again() {
    for (auto& x : resume(links))
      if (is_durable(x))
        net_.under_way.push_back({id_, x.to, false, x.sequence, x.body});
  }

  void crash() {
    held_.clear();
    pending_.clear();
    links = {};
    jobs.clear();
    for (auto& group : durable) {
      bytes data;
      for (auto& r : group)
        encode(r, data);
      auto records = *decode(data);
      for (auto& r : records)
        recover(r);
    }
  }

  bool idle() const { return held_.empty(); }

private:
  struct held_group {
    record_group group;
    std::vector<packet> effects;
  };

  static std::shared_ptr<const graph> plan() {
    static const auto one = tests::compiled(tests::chain(1));
    return one;
  }

  record of(job_id job, record_body body) {
    return {namespace_id{1}, id_, job, now_, std::move(body)};
  }

  job& begin(job_id id, job_added spec) {
    auto added = of(id, std::move(spec));
    pending_.push_back(added);
    auto& x = jobs[id] = job_of(added);
    x.plan = plan();
    pending_ = take(std::move(pending_), x, *decide_move(x, job_request::start, "", now_));
    return x;
  }

  record_group take(record_group group, job& x, record_group decided) {
    for (auto& r : transact(x, std::move(decided), now_, [](auto&, auto&) {}))
      group.push_back(std::move(r));
    return group;
  }

  record_group applied_to_links(record_group group, record_body body) {
    group.push_back(of({}, std::move(body)));
    apply(links, group.back());
    return group;
  }

  void send(record_group& group, shard_id to, const message_body& body) {
    group = applied_to_links(std::move(group), decide_send(links, to, encode_message(body)));
  }

  void act(const packet& p) {
    auto group = applied_to_links({}, message_received{p.from, p.sequence});
    auto body = *decode_message(p.body);
    if (auto wanted = std::get_if<child_requested>(&body)) {
      begin(ids_.next(slot{1}, now_, random_), child_of(*wanted));
      for (auto& r : std::exchange(pending_, {}))
        group.push_back(std::move(r));
    } else {
      auto& end = std::get<child_ended>(body);
      auto& parent = jobs.at(end.parent);
      auto decided = decide_attempt_ended(
          parent, end.proof, {end.vertex, end.outcome, end.output, end.error}, now_, random_);
      REQUIRE(decided); // Delivered once: the token is still the current one.
      group = take(std::move(group), parent, *decided);
    }
    hold(std::move(group));
  }

  void hold(record_group group) {
    held_.push_back({std::move(group), {}});
    for (auto& r : held_.back().group)
      if (auto sent = std::get_if<message_sent>(&r.body))
        held_.back().effects.push_back({id_, sent->to, false, sent->sequence, sent->body});
  }

  void tell_when_durable(packet p) {
    if (held_.empty())
      net_.under_way.push_back(std::move(p));
    else
      held_.back().effects.push_back(std::move(p));
  }

  bool is_durable(const message_sent& x) const {
    for (auto& held : held_)
      for (auto& r : held.group)
        if (auto sent = std::get_if<message_sent>(&r.body); sent && *sent == x)
          return false;
    return true;
  }

  void recover(const record& r) {
    ids_.saw(r.job);
    apply(links, r);
    if (std::holds_alternative<job_added>(r.body)) {
      jobs[r.job] = job_of(r);
      jobs[r.job].plan = plan();
    } else if (r.job != job_id{}) {
      changes seen;
      apply(jobs.at(r.job), r, seen);
    }
  }

  shard_id id_;
  transport& net_;
  random_bits random_;
  shard_time now_{1s};
  id_source ids_;
  record_group pending_;
  std::deque<held_group> held_;
};

/// Two shards whose jobs ask each other for children.
class two_shards {
public:
  explicit two_shards(random_values& make)
      : make_(make),
        shards_{shard_model{shard_id{0}, net_, make.bits()},
                shard_model{shard_id{1}, net_, make.bits()}} {}

  void step() {
    auto i = make_.below(2);
    auto& shard = shards_[i];
    switch (make_.below(12)) {
    case 0: return shard.start_parent(shard_id(1 - i), int(make_.below(1000)));
    case 1: return shard.work();
    case 2: return shard.send_again();
    case 3: return make_.below(4) == 0 ? shard.crash() : void();
    case 4: return lose();
    case 5: return repeat();
    case 6:
    case 7:
    case 8: return shard.sync();
    default: return deliver();
    }
  }

  /// From here on nothing crashes, and in time nothing is lost: all must come to its end.
  void calm() {
    for (int i = 0; i < 10'000 && !settled(); ++i)
      for (auto& shard : shards_) {
        shard.work();
        shard.sync();
        if (net_.under_way.empty())
          shard.send_again();
        if (i < 2000 && make_.coin())
          lose(); // The last acknowledgements, too.
        deliver();
      }
    REQUIRE(settled());
  }

  /// Every parent got the end of its one child.
  std::size_t check() {
    std::map<job_id, int> children, ends;
    std::size_t parents = 0;
    for (auto& shard : shards_) {
      shard.crash(); // Only what is durable counts.
      for (auto& group : shard.durable)
        for (auto& r : group)
          count(r, children, ends);
    }
    for (auto& shard : shards_)
      for (auto& [id, x] : shard.jobs) {
        REQUIRE(x.state == job_state::completed);
        if (x.spec.parent != job_id{})
          continue;
        ++parents;
        REQUIRE(children[id] == 1);
        REQUIRE(ends[id] == 1);
      }
    return parents;
  }

private:
  static void count(const record& r, std::map<job_id, int>& children, std::map<job_id, int>& ends) {
    if (auto added = std::get_if<job_added>(&r.body); added && added->parent != job_id{})
      ++children[added->parent];
    if (std::holds_alternative<attempt_ended>(r.body))
      ++ends[r.job];
  }

  bool settled() const {
    for (auto& shard : shards_) {
      if (!shard.idle() || !resume(shard.links).empty())
        return false;
      for (auto& [id, x] : shard.jobs)
        if (!terminal(x.state))
          return false;
    }
    return net_.under_way.empty();
  }

  void lose() {
    if (!net_.under_way.empty())
      net_.under_way.erase(any());
  }
  void repeat() {
    if (!net_.under_way.empty())
      net_.under_way.push_back(packet{*any()});
  }
  void deliver() {
    if (net_.under_way.empty())
      return;
    auto at = any();
    auto p = std::move(*at);
    net_.under_way.erase(at);
    shards_[index_of(p.to)].arrive(p);
  }
  std::vector<packet>::iterator any() {
    return net_.under_way.begin() + static_cast<std::ptrdiff_t>(make_.below(net_.under_way.size()));
  }

  random_values& make_;
  transport net_;
  std::array<shard_model, 2> shards_;
};

} // namespace

TEST_CASE("a child in another shard is made once and ends its parent's attempt once",
          "[core][links][random]") {
  auto seed = GENERATE(take(100, random(0, 1 << 30)));
  CAPTURE(seed);
  random_values make(static_cast<std::uint64_t>(seed));
  two_shards cluster{make};
  for (int i = 0; i < 400; ++i)
    cluster.step();
  cluster.calm();
  CHECK(cluster.check() > 0);
}
