#pragma once

#include "troupe/runtime.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

/// For programs that use CAF 0.17 themselves: the runtime inside their own actor system, a handle
/// for their actors, and vertices that their actors run. See `docs/embedding.md`. Link
/// `Troupe::caf`. Nothing here goes to another process.

/// The first type id of the messages below, 32 are ours. CAF compares these numbers only while it
/// compiles: a program whose own block lies there defines another first one for all its files.
#ifndef TROUPE_CAF_FIRST_TYPE_ID
#define TROUPE_CAF_FIRST_TYPE_ID (caf::first_custom_type_id + 1200)
#endif

namespace troupe::host {

// To the runtime.

/// Makes a graph durable. Replies its id; errors: those of `runtime::add_graph`.
struct add_graph {
  graph_spec graph{};
  namespace_id ns{};
};

/// Makes a job durable. Replies its id; errors: those of `runtime::submit`.
struct submit {
  job_spec spec{};
};

/// Replies what is known of the job; errors: those of `runtime::get`.
struct get {
  job_id job{};
};

/// Replies the same once the job has ended. Ask with `caf::infinite`, or with how long you wait.
struct wait {
  job_id job{};
};

/// A step of a job's life. Replies nothing once it is durable; errors: those of `runtime::cancel`.
struct change {
  enum class step : std::uint8_t { cancel, stop, pause, resume };

  job_id job{};
  step to = step::cancel;
  std::string reason{}; ///< Goes into the job's events.
};

/// The sender wants the events of a job from number `from` on. Replies a `subscription`, after
/// which the sender gets `events`, and at last `events_end`. Errors: those of `runtime::events`;
/// `overloaded` beyond `limits::subscriptions_max`.
struct subscribe {
  job_id job{};
  std::uint64_t from = 1;
  std::uint32_t credit = 100; ///< Events that may be on their way before the sender asks for more.
};

/// Names what a `subscribe` has made.
struct subscription {
  job_id job{};
  std::uint64_t number = 0;

  auto operator<=>(const subscription&) const = default;
};

/// The subscriber has handled events and takes as many more. No reply.
struct more {
  subscription of{};
  std::uint32_t credit = 0; ///< Added; the sum is at most `limits::subscription_credit_max`.
};

/// The subscriber wants no more. No reply, and no `events_end`. What is on its way still comes.
struct unsubscribe {
  subscription of{};
};

// To a subscriber.

/// The next events: in order, each once, without a gap, never more than there is credit for.
struct events {
  subscription of{};
  std::vector<event> list{};
};

/// Nothing more comes. `code`: `none` after the event `end`, else why: `not_ready`,
/// `journal_failed`; `no_such_job` once the job is deleted; `journal_corrupt`, `blob_missing` and
/// `io_failed` if what is read is damaged or cannot be read.
struct events_end {
  subscription of{};
  ec code = ec::none;
  std::string detail{};
};

// To an actor that runs vertices of the kind `actor`.

/// The attempt's right to run: its result counts only as long as this is the vertex's current one.
struct attempt_token {
  std::uint64_t high = 0, low = 0;

  auto operator<=>(const attempt_token&) const = default;
};

/// Run this. Reply a `troupe::value`, the output, or an error: `failed`, or any other. The runtime
/// waits up to the deadline, which is that of `timeouts.hard`; without one, as long as you live.
struct attempt {
  attempt_token token{};
  job_id job{};
  std::string vertex{};
  std::uint32_t number = 1;      ///< From 1; a redelivery repeats the number.
  std::string idempotency_key{}; ///< The same for every attempt: for effects that happen once.
  value inputs{};                ///< An object, a member per port, and `job`.
  value arguments{};             ///< `config.arguments` of the vertex; null if there are none.
  std::optional<std::chrono::steady_clock::time_point> deadline{};
};

/// Answer the attempt soon, with whatever: its soft time-out has passed, or its job was cancelled.
/// After the grace, or at the hard time-out, it ends without you, and an answer is dropped.
struct end_attempt {
  enum class cause : std::uint8_t { soft_timeout, hard_timeout, cancelled };

  attempt_token token{};
  cause why = cause::cancelled;
};

/// From the actor that runs the attempt to who has sent it: text for people, an event of the job.
struct attempt_log {
  attempt_token token{};
  std::string text{};
};

/// An error with which an actor chooses the code of its attempt's failure. `code`: short and
/// stable, `snake_case`. `detail`: for people.
TROUPE_EXPORT caf::error failed(std::string code, std::string detail);

} // namespace troupe::host

#define TROUPE_HOST_MESSAGE(type)                                                                  \
  CAF_ADD_TYPE_ID(troupe_host, (type))                                                             \
  CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)

CAF_BEGIN_TYPE_ID_BLOCK(troupe_host, TROUPE_CAF_FIRST_TYPE_ID)
TROUPE_HOST_MESSAGE(troupe::host::add_graph)
TROUPE_HOST_MESSAGE(troupe::host::submit)
TROUPE_HOST_MESSAGE(troupe::host::get)
TROUPE_HOST_MESSAGE(troupe::host::wait)
TROUPE_HOST_MESSAGE(troupe::host::change)
TROUPE_HOST_MESSAGE(troupe::host::subscribe)
TROUPE_HOST_MESSAGE(troupe::host::subscription)
TROUPE_HOST_MESSAGE(troupe::host::more)
TROUPE_HOST_MESSAGE(troupe::host::unsubscribe)
TROUPE_HOST_MESSAGE(troupe::host::events)
TROUPE_HOST_MESSAGE(troupe::host::events_end)
TROUPE_HOST_MESSAGE(troupe::host::attempt)
TROUPE_HOST_MESSAGE(troupe::host::end_attempt)
TROUPE_HOST_MESSAGE(troupe::host::attempt_log)
TROUPE_HOST_MESSAGE(troupe::value)
TROUPE_HOST_MESSAGE(troupe::graph_id)
TROUPE_HOST_MESSAGE(troupe::job_id)
TROUPE_HOST_MESSAGE(troupe::job_info)
CAF_END_TYPE_ID_BLOCK(troupe_host)

#undef TROUPE_HOST_MESSAGE

namespace troupe {

/// What the host's actors talk to. Every request that is refused is answered with an error of the
/// category `troupe`: `code_of` has its code, `actor_system::render` its text.
using runtime_actor = caf::typed_actor<
    caf::replies_to<host::add_graph>::with<graph_id>, caf::replies_to<host::submit>::with<job_id>,
    caf::replies_to<host::get>::with<job_info>, caf::replies_to<host::wait>::with<job_info>,
    caf::reacts_to<host::change>, caf::replies_to<host::subscribe>::with<host::subscription>,
    caf::reacts_to<host::more>, caf::reacts_to<host::unsubscribe>>;

/// The code of an error that the runtime has answered with; `none` for any other error.
TROUPE_EXPORT ec code_of(const caf::error& x) noexcept;

/// An actor that graphs can name: kind `actor`. It gets `host::attempt` as a request and
/// `host::end_attempt` as a message.
struct actor_entry {
  std::string name{};
  caf::actor actor{};
  std::size_t parallel_max = 64; ///< Attempts that it has at once; the others wait in order.
};

/// A durable runtime inside the host's actor system. Thread-safe, but `open`, `close` and the
/// destructor wait: call them from a thread of the program, never from an actor.
///
/// The system must outlive the runtime: declare it first. A system that ends first waits in its
/// destructor until the runtime is closed, for its actors live in it. To let the system's side
/// end the runtime, send `handle()` an exit message: it closes the runtime, whichever actor or
/// thread sends it, and after that the system may end before this object does.
class TROUPE_EXPORT caf_runtime {
public:
  /// Call it once with the configuration of the system, before the system is made. It sets what
  /// the runtime was measured with (`scheduler.policy` `sharing`, `scheduler.max-throughput` 100;
  /// what is set later wins), and adds the messages and the error categories of the runtime.
  static void prepare(caf::actor_system_config& config);

  /// As `runtime::open`, in `system`. `config.threads` has no meaning here: the system's threads
  /// run the actors. Jobs that are recovered may need `actors` before this returns. Errors: those
  /// of `runtime::open`; `unsupported` if the system was made without `prepare`; `invalid_spec` if
  /// an entry has a bad name, no actor, or a name that another has.
  static result<caf_runtime> open(caf::actor_system& system, const runtime_config& config,
                                  runtime::functions functions = {},
                                  std::vector<actor_entry> actors = {});

  /// Closes it.
  ~caf_runtime();
  caf_runtime(caf_runtime&&) noexcept;
  caf_runtime& operator=(caf_runtime&&) noexcept;

  /// For actors, from any thread. After the end of the runtime it is down: monitor it.
  const runtime_actor& handle() const noexcept;

  /// The same runtime for threads that may wait. Not for actors.
  troupe::runtime& blocking() noexcept;

  /// Gives an entry another actor, for attempts from now on: the one before has ended or is about
  /// to. Errors: `invalid_spec` if `open` got no entry of this name, or `actor` is none.
  status replace(const std::string& name, caf::actor actor);

  /// Ends all that runs (attempts are run again by the next `open`) and gives the directory back.
  /// Subscribers get `events_end` with `not_ready`.
  void close();

private:
  struct impl;
  explicit caf_runtime(std::unique_ptr<impl> x);
  std::unique_ptr<impl> impl_;
};

} // namespace troupe
