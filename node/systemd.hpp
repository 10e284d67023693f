#pragma once

#include "troupe/error.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace troupe::node {

/// Tells the service manager how the node is (`READY=1`, `STOPPING=1`, `STATUS=…`), by the socket
/// that `NOTIFY_SOCKET` names, as `sd_notify(3)` says. False if there is none or it refuses.
bool notify_service_manager(std::string_view state);

/// How often the service manager wants to hear from this process (`WATCHDOG_USEC`,
/// `WATCHDOG_PID`); nothing if it does not. Pure but for the environment and the process id.
std::optional<std::chrono::microseconds> watchdog_time();

/// While it lives, asks `alive` twice in each `watchdog_time` and tells the service manager that
/// the node is alive, or, by `STATUS=`, why it is not: then the manager restarts it when the time
/// is over. `alive` gets the time that it may take, half of what is left until then. Does nothing
/// where nobody wants to hear it.
class watchdog {
public:
  using question = std::function<status(std::chrono::milliseconds limit)>;
  explicit watchdog(question alive);

private:
  std::jthread thread_;
};

} // namespace troupe::node
