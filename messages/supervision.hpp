#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>
#include <cstddef>

namespace troupe::messages {

/// From a supervisor to itself: the back-off of this child is over.
struct restart_child {
  std::size_t index = 0;
};

} // namespace troupe::messages

CAF_BEGIN_TYPE_ID_BLOCK(troupe_supervision, caf::first_custom_type_id + 1100)
CAF_ADD_TYPE_ID(troupe_supervision, (troupe::messages::restart_child))
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::messages::restart_child)
CAF_END_TYPE_ID_BLOCK(troupe_supervision)
