#include "actors/kinds/early_report.hpp"

namespace troupe::actors {

namespace {

attempt_report timed_out(std::string did, const char* which, core::duration limit) {
  did.append(" at its ").append(which).append(" limit, ") += std::to_string(limit.count()) + " ms";
  return {attempt_end::timed_out, {}, {"timed_out", "", std::move(did)}};
}

} // namespace

attempt_report cancelled_report() {
  return {attempt_end::cancelled, {}, {"cancelled", "", "cancelled before its end"}};
}

attempt_report early_report(core::early_end why, const timeouts_spec& limits,
                            std::string_view at_hard) {
  switch (why) {
  case core::early_end::soft: return timed_out("asked to end", "soft", limits.soft);
  case core::early_end::hard: return timed_out(std::string{at_hard}, "hard", limits.hard);
  default: return cancelled_report();
  }
}

} // namespace troupe::actors
