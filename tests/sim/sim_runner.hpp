#pragma once

#include "actors/kinds/attempt_runner.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

namespace troupe::tests {

/// A runner whose attempts end when and how the test says. A vertex whose `argv` is `["work", n]`
/// fails n times, then succeeds with its own name, or with so many bytes as a third part says. Some
/// attempts are reported twice: at once, or while the next attempt of their vertex runs.
class sim_runner final : public actors::attempt_runner {
public:
  struct running {
    actors::attempt what;
    report done;
    log say;
    bool cancelled = false;
    bool repeats = false; ///< It was reported already; its token is stale.
  };

  void start(actors::attempt x, report done, log say) override {
    if (on_start)
      on_start(x);
    started.push_back({x.job, x.vertex, x.number});
    auto same = [&](auto& old) { return old.what.job == x.job && old.what.vertex == x.vertex; };
    for (auto at = late.begin(); (at = std::find_if(at, late.end(), same)) != late.end();
         at = late.erase(at))
      in_flight.push_back(std::move(*at));
    in_flight.push_back({std::move(x), std::move(done), std::move(say)});
  }

  void cancel(core::token proof, core::duration) override {
    if (on_cancel)
      on_cancel();
    for (auto& x : in_flight)
      x.cancelled = x.cancelled || x.what.proof == proof;
  }

  /// One attempt says something or ends.
  void step(std::uint64_t chance) {
    auto at = in_flight.begin() + static_cast<std::ptrdiff_t>(chance % in_flight.size());
    if ((chance >> 32) % 4 == 0 && !at->cancelled) {
      at->say("working on " + at->what.vertex + "\n");
      return;
    }
    auto x = std::move(*at);
    in_flight.erase(at);
    if (x.repeats)
      return x.done({actors::attempt_end::succeeded, "reported before", {}});
    if ((chance >> 44) % 2 == 0)
      ((chance >> 45) % 2 == 0 ? in_flight : late).push_back({x.what, x.done, x.say, false, true});
    x.done(outcome_of(x, (chance >> 40) % 2 == 0));
  }

  /// The node is gone, and with it who would get the reports.
  void forget() {
    in_flight.clear();
    late.clear();
  }

  struct start_note {
    job_id job;
    std::string vertex;
    std::uint32_t number;
  };

  /// Called in the job's own turn; may throw, as a defect of its actor would.
  std::function<void(const actors::attempt&)> on_start;
  std::function<void()> on_cancel;     ///< The same of cancelling one.
  std::vector<start_note> started;     ///< Effects: never undone by a crash.
  std::deque<running> in_flight, late; ///< `late`: reported again during the next attempt.
  std::map<std::pair<job_id, std::string>, int> failures;

private:
  actors::attempt_report outcome_of(const running& x, bool obeys) {
    using actors::attempt_end;
    if (x.cancelled && obeys)
      return {attempt_end::cancelled, {}, {"cancelled", "", "it was asked to end"}};
    auto argv = x.what.config.find("argv");
    auto fails = argv && argv->items()->size() > 1 ? std::stoi(*(*argv->items())[1].string()) : 0;
    auto& failed = failures[{x.what.job, x.what.vertex}];
    if (failed < fails) {
      ++failed;
      return {attempt_end::failed, {}, {"simulated", "", "it was told to fail"}};
    }
    auto bytes = argv && argv->items()->size() > 2 ? std::stoul(*(*argv->items())[2].string()) : 0;
    return {attempt_end::succeeded, bytes > 0 ? std::string(bytes, 'x') : x.what.vertex, {}};
  }
};

} // namespace troupe::tests
