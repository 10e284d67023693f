#pragma once

#include "node/http/message.hpp"

/// Parts of answers as they are sent. Any thread.
namespace troupe::http {

/// The words of a status, as in `404 Not Found`.
std::string_view reason_of(int status);

/// The time of now as the header `Date` has it (RFC 9110, 5.6.7). Valid until this thread asks
/// again.
const std::string& date_now();

/// A whole answer, without a stream, to what no connection serves: its connection ends.
std::string last_answer(const response& x, std::string_view request_id);

} // namespace troupe::http
