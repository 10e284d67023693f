#include "core/attempt_clock.hpp"

#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::core {

attempt_clock::attempt_clock(const timeouts_spec& limits, time begun) {
  if (limits.soft.count() > 0)
    soft_at_ = begun + limits.soft;
  if (limits.hard.count() > 0) {
    end_at_ = begun + limits.hard;
    at_end_ = early_end::hard;
  }
}

std::optional<attempt_clock::time> attempt_clock::deadline() const noexcept {
  if (ended_)
    return {};
  if (!soft_at_ || !end_at_)
    return soft_at_ ? soft_at_ : end_at_;
  return std::min(*soft_at_, *end_at_);
}

attempt_clock::step attempt_clock::advance(time now) {
  if (ended_)
    return step::none;
  if (end_at_ && now >= *end_at_) {
    ended_ = true;
    if (why_ != early_end::cancelled)
      why_ = at_end_;
    return step::end;
  }
  if (!soft_at_ || now < *soft_at_)
    return step::none;
  soft_at_.reset();
  why_ = early_end::soft;
  if (!end_at_)
    end_at_ = now + limits::cancel_grace;
  return step::ask;
}

attempt_clock::step attempt_clock::cancel(duration grace, time now) {
  why_ = early_end::cancelled;
  if (ended_)
    return step::none;
  soft_at_.reset();
  end_at_ = std::min(now + grace, end_at_.value_or(time::max()));
  ended_ = grace.count() <= 0;
  return ended_ ? step::end : step::ask;
}

} // namespace troupe::core
