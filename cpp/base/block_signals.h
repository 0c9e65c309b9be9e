// Keeps a host's signals away from threads that are started meanwhile; must not know what they do.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace lstmfast::base {

// Signals are the host's business, Ctrl-C above all: workers are born with them blocked, but for
// those that a thread brings on itself, which a host's crash report wants to see, and profiling.
class BlockSignals {
 public:
  BlockSignals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF}) {
      ::sigdelset(&all, own);
    }
    ::pthread_sigmask(SIG_SETMASK, &all, &saved_);
  }
  ~BlockSignals() { ::pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;

 private:
  sigset_t saved_;
};

}  // namespace lstmfast::base
