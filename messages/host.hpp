#pragma once

#include "core/types.hpp"
#include "troupe/caf.hpp"

#include <caf/message.hpp>
#include <memory>

namespace troupe::actors {
struct actor_call;
}

namespace troupe::messages {

/// From the runtime to the host's handle: the answer to the request of this number.
struct host_answer {
  std::uint64_t number = 0;
  caf::message reply;
};

/// From the runtime to the host's handle: a subscriber's job is watched from event `first` on.
struct host_watched {
  host::subscription of;
  result<std::uint64_t> first = ec::not_ready;
};

/// To the host's handle: the engine is closed, as an exit message has asked.
struct host_closed {
  caf::error reason;
};

/// To the host's handle: there may be events for subscribers.
struct host_wake {};

/// From the host's handle to itself: see whether the journal still works.
struct host_look {};

/// To the dispatcher of the host's actors: run this attempt.
struct dispatch {
  std::shared_ptr<actors::actor_call> call;
};

/// To the dispatcher: end the attempt of this token, within `grace`.
struct recall {
  core::token proof;
  core::duration grace{};
};

/// From the dispatcher to itself: a deadline of an attempt has come.
struct recall_due {
  core::token proof;
};

/// To the dispatcher: attempts of this name go to another actor from now on.
struct replace_actor {
  std::string name;
  caf::actor actor;
};

} // namespace troupe::messages

#define TROUPE_MESSAGE(type)                                                                       \
  CAF_ADD_TYPE_ID(troupe_hosting, (troupe::messages::type))                                        \
  CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::messages::type)

CAF_BEGIN_TYPE_ID_BLOCK(troupe_hosting, caf::first_custom_type_id + 1300)
TROUPE_MESSAGE(host_answer)
TROUPE_MESSAGE(host_watched)
TROUPE_MESSAGE(host_closed)
TROUPE_MESSAGE(host_wake)
TROUPE_MESSAGE(host_look)
TROUPE_MESSAGE(dispatch)
TROUPE_MESSAGE(recall)
TROUPE_MESSAGE(recall_due)
TROUPE_MESSAGE(replace_actor)
CAF_END_TYPE_ID_BLOCK(troupe_hosting)

#undef TROUPE_MESSAGE
