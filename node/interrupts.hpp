#pragma once

#include "node/errors.hpp"

namespace troupe::node {

/// While it lives, SIGINT, SIGTERM and SIGHUP only ask the program to end; after one of them a
/// SIGINT or SIGTERM ends it at once. A SIGHUP that was ignored before stays so. SIGPIPE and
/// SIGXFSZ are ignored. At most one at a time.
class interrupts {
public:
  interrupts();
  ~interrupts();
  interrupts(const interrupts&) = delete;
  interrupts& operator=(const interrupts&) = delete;

  /// The signal that has come, or 0. Any thread.
  int caught() const noexcept;

  /// What standard error gets when a second signal ends the program at once. One thread.
  void say_if_ended_at_once(std::string text);

private:
  bool hears_hangups_ = false;
  std::string last_words_;
};

/// What is told of a signal that has come: `interrupted` or `terminated`.
fault fault_of(int signal) noexcept;

/// While it lives, SIGHUP does not end the program: it asks it to read its configuration again. At
/// most one at a time, made after `interrupts` and gone before them.
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
