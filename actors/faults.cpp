#include "actors/faults.hpp"

#include <exception>

namespace troupe::actors {

namespace {

std::string reason_of(const std::exception_ptr& x) {
  try {
    std::rethrow_exception(x);
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "an exception of an unknown type";
  }
}

} // namespace

void report_faults(caf::scheduled_actor* self, const char* who, std::shared_ptr<environment> env) {
  self->set_exception_handler([who, env = std::move(env)](std::exception_ptr& x) -> caf::error {
    if (env->report)
      env->report(std::string{"the actor \""} + who + "\" failed: " + reason_of(x));
    return caf::exit_reason::unhandled_exception;
  });
}

} // namespace troupe::actors
