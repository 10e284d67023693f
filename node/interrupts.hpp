#pragma once

namespace troupe::node {

/// While it lives, SIGINT and SIGTERM only ask the program to end; the second one ends it at once.
/// SIGPIPE and SIGXFSZ are ignored. At most one at a time.
class interrupts {
public:
  interrupts();
  ~interrupts();
  interrupts(const interrupts&) = delete;
  interrupts& operator=(const interrupts&) = delete;

  /// The signal that has come, or 0. Any thread.
  int caught() const noexcept;
};

} // namespace troupe::node
