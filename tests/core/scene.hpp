#pragma once

#include "core/decide.hpp"
#include "core/render.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"

#include <random>

namespace troupe::tests {

using namespace std::chrono_literals;

/// One job with its journal. Every record is applied to the live job and, read back from its
/// bytes, to a twin; both must stay equal, and the twin tells the events.
class scene {
public:
  explicit scene(std::shared_ptr<const core::graph> plan, std::uint64_t seed = 1)
      : random(std::mt19937_64{seed}) {
    core::record first{namespace_id{1}, core::shard_id{2}, job_id{0x7123, 0x8000}, now, {}};
    first.body = core::job_added{};
    first.job.low += seed;
    live = core::job_of(first);
    live.plan = plan;
    twin = core::job_of(read_back({first}).front());
    twin.plan = plan;
    tell(first, {});
  }

  core::job live, twin;
  core::shard_time now{1'700'000'000s};
  core::random_bits random;
  core::record_group journal;
  std::vector<event> told;
  std::vector<core::vertex_index> ready; ///< By the last step.
  std::vector<core::vertex_index> skipped;

  /// Applies what was decided; true unless it was refused.
  bool take(const result<core::record_group>& decided) {
    if (!decided)
      return false;
    commit(*decided);
    return true;
  }

  void commit(core::record_group decided) {
    ready.clear(), skipped.clear();
    auto group = core::transact(live, std::move(decided), now, [&](auto&, auto& seen) {
      for (auto& x : seen.ready)
        ready.push_back(x.vertex);
      for (auto& x : seen.skipped)
        skipped.push_back(x.vertex);
    });
    for (auto& r : read_back(group))
      replay(r);
    REQUIRE(twin == live);
  }

  bool move(core::job_request on, std::string reason = {}) {
    return take(core::decide_move(live, on, std::move(reason), now));
  }
  bool start(core::vertex_index v) { return take(core::decide_start(live, v, now, random)); }
  bool lose(core::vertex_index v, bool counts = true) {
    return take(core::decide_lost(live, v, counts, now));
  }
  bool end(core::vertex_index v, core::attempt_end outcome, value output = {}) {
    return take(
        core::decide_attempt_ended(live, proof(v), result_for(v, outcome, output), now, random));
  }
  bool say(core::vertex_index v, std::string text) {
    return take(core::decide_said(live, v, proof(v), std::move(text), now));
  }
  /// A pure vertex ends.
  void end_pure(core::vertex_index v, core::attempt_end outcome, value output = {}) {
    std::vector<core::attempt_result> all{result_for(v, outcome, output)};
    commit(core::decide_vertices_ended(live, std::move(all), 1ms, now, random));
  }

  static core::attempt_result result_for(core::vertex_index v, core::attempt_end outcome,
                                         value output) {
    using core::attempt_end;
    if (outcome == attempt_end::succeeded)
      return {v, outcome, core::payload{std::move(output)}, {}};
    return {v, outcome, {}, {"broken", "", "it broke"}};
  }

  core::vertex_state state(core::vertex_index v) const { return live.run->states[v]; }
  const core::vertex_detail& detail(core::vertex_index v) const { return live.run->details.at(v); }
  core::token proof(core::vertex_index v) const {
    if (!live.run || !live.run->details.contains(v))
      return {};
    return detail(v).current.value_or(core::token{});
  }

private:
  static core::record_group read_back(const core::record_group& group) {
    core::bytes data;
    for (auto& r : group)
      core::encode(r, data);
    auto read = core::decode(data);
    REQUIRE(read);
    REQUIRE(*read == group);
    return *read;
  }

  void replay(const core::record& r) {
    core::changes seen;
    core::apply(twin, r, seen);
    tell(r, seen);
  }

  void tell(const core::record& r, const core::changes& seen) {
    journal.push_back(r);
    auto before = told.size();
    core::render(twin, r, seen, [&](event&& e) { return told.push_back(std::move(e)), true; });
    REQUIRE(told.size() - before == core::events_of(r, seen));
    REQUIRE(told.size() == twin.events);
  }
};

} // namespace troupe::tests
