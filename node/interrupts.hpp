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

/// While it lives, SIGHUP does not end the program: it asks it to read its configuration again. At
/// most one at a time.
class hangups {
public:
  hangups();
  ~hangups();
  hangups(const hangups&) = delete;
  hangups& operator=(const hangups&) = delete;

  /// Whether one has come since the last call. Any thread.
  bool take() noexcept;
};

} // namespace troupe::node
