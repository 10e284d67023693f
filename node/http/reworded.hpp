#pragma once

#include "node/http/message.hpp"

namespace troupe::http {

/// A problem with another text as its `detail` or `next`.
response with_text(response x, std::string_view member, std::string text);

/// A problem whose `detail` begins with the number of the line that it is about.
response with_line(response x, std::uint64_t number);

} // namespace troupe::http
