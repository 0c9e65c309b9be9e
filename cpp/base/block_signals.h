// Blocks signals in threads that are started while it lives; must not know what they do.
#pragma once

#include <pthread.h>
#include <signal.h>

#include "base/no_copy.h"

namespace lstmfast::base {

// The host program handles signals, Ctrl-C above all, on threads of its own. Not blocked are those
// that a thread's own fault raises, which the host's crash report needs, and that of profilers.
class BlockSignals : NoCopy {
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

 private:
  sigset_t saved_;
};

}  // namespace lstmfast::base
