#include "actors/kinds/function_call.hpp"

#include "actors/kinds/early_report.hpp"
#include "actors/said_text.hpp"

#include <algorithm>

namespace troupe::actors {

function_call::function_call(function_registry::entry body, attempt x, attempt_runner::report done,
                             attempt_runner::log say)
    : body_(std::move(body)), x_(std::move(x)), done_(std::move(done)), say_(std::move(say)) {}

attempt_report function_call::run() {
  auto say = [this](std::string text) {
    std::lock_guard lock{mutex_};
    if (reported_ || !say_ || said_ > limits::stream_bytes_max)
      return; // The job takes no more, and knows it by what went beyond.
    said_ += std::max(text.size(), limits::said_bytes_least);
    say_(std::move(text));
  };
  return call(*body_, x_, say, stop_.get_token());
}

void function_call::finish(attempt_report x) {
  {
    std::lock_guard lock{mutex_};
    if (reported_)
      return;
    reported_ = true;
  }
  done_(std::move(x));
}

attempt_report function_call::ended_by(core::early_end why) const {
  return early_report(why, x_.timeouts, "given up");
}

} // namespace troupe::actors
