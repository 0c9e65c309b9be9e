// On which CPU a thread runs, and keeping one off another's; must not know what threads do.
#pragma once

#include <thread>

namespace lstmfast::base {

// The CPU that this thread is on right now, -1 where nobody can say.
int current_cpu() noexcept;

// wake(context) wakes `thread` on a CPU other than `cpu`. Left to itself, the scheduler may put it
// in line there, and it would start when the thread on it has done its own part. The affinity of
// the woken thread is the caller's afterwards: it is narrower for the choice of the CPU alone.
void wake_off_cpu(std::thread& thread, int cpu, void (*wake)(void* context) noexcept,
                  void* context) noexcept;

}  // namespace lstmfast::base
