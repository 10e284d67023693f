#pragma once

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/caf.hpp"
#include "troupe/graph_builder.hpp"

#include <caf/scoped_actor.hpp>
#include <optional>

namespace troupe::tests {

using namespace std::chrono_literals;

inline constexpr auto patience = 60s; ///< Then a test has failed, not waited.

struct prepared_config : caf::actor_system_config {
  prepared_config() { caf_runtime::prepare(*this); }
};

/// A host: its configuration, its system, and the test as one of its actors.
struct caf_world {
  prepared_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};

  /// Asks the runtime's handle. Fails the test if there is no answer.
  template <class Answer, class Message>
  result<Answer> ask(const runtime_actor& to, Message m) {
    std::optional<result<Answer>> answer;
    self->request(to, patience, std::move(m))
        .receive([&](const Answer& x) { answer.emplace(x); },
                 [&](const caf::error& x) {
                   answer.emplace(error{code_of(x), system.render(x)});
                 });
    REQUIRE(answer);
    return *answer;
  }

  /// The code that a step is answered with.
  ec change(const runtime_actor& to, job_id job, host::change::step step) {
    auto code = ec::none;
    self->request(to, patience, host::change{job, step, "as the test says"})
        .receive([] {}, [&](const caf::error& x) { code = code_of(x); });
    return code;
  }

  /// The next message of this type that the test gets, whatever else waits.
  template <class Message>
  Message next() {
    Message found;
    auto waited = false;
    self->receive([&](const Message& m) { found = m; },
                  caf::after(patience) >> [&] { waited = true; });
    REQUIRE_FALSE(waited);
    return found;
  }

  /// A message of the runtime that an actor of the test has, and its answer when the test says so.
  struct held_attempt {
    host::attempt what;
    caf::response_promise answer;
    caf::actor from;
  };

  /// The next attempt that `worker` gets.
  static held_attempt take(caf::scoped_actor& worker) {
    held_attempt held;
    auto waited = false;
    worker->receive(
        [&](const host::attempt& m) -> caf::response_promise {
          held.what = m;
          held.from = caf::actor_cast<caf::actor>(worker->current_sender());
          return held.answer = worker->make_response_promise();
        },
        caf::after(patience) >> [&] { waited = true; });
    REQUIRE_FALSE(waited);
    return held;
  }

  /// Why the test's worker was asked to end an attempt.
  static host::end_attempt told_to_end(caf::scoped_actor& worker) {
    host::end_attempt told;
    auto waited = false;
    worker->receive([&](const host::end_attempt& m) { told = m; },
                    caf::after(patience) >> [&] { waited = true; });
    REQUIRE_FALSE(waited);
    return told;
  }
};

/// One vertex of the kind `actor`, `config` with its name and arguments.
inline graph_builder one_actor(value::object config) {
  graph_builder graph{"one"};
  graph.add("v", "actor", std::move(config));
  return graph;
}

} // namespace troupe::tests
