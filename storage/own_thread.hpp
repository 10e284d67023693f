#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace troupe::storage {

/// A thread that no signal of others is delivered to, so that a handler never runs in the middle of
/// a commit and a limit on file sizes is an error of the write (`EFBIG`), not the end of the
/// process. Its own faults stay open: blocked, they would end the process without a word.
template <class Body>
std::jthread own_thread(Body body) {
  sigset_t all, before;
  sigfillset(&all);
  for (int fault : {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGABRT})
    sigdelset(&all, fault);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::jthread made{std::move(body)};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return made;
}

} // namespace troupe::storage
