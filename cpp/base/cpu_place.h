// On which CPU a thread runs, and waking a thread on another one; must not know what threads do.
#pragma once

#include <thread>

namespace lstmfast::base {

// The CPU that this thread is on right now, -1 where the system cannot tell.
int current_cpu() noexcept;

// Calls wake(context), which wakes `thread`, so that it starts on a CPU other than `cpu`. The
// scheduler alone might queue it on `cpu`, until the thread that runs there has done its own part.
// Afterwards `thread` has the caller's affinity; it is narrower only while the CPU is chosen.
void wake_off_cpu(std::thread& thread, int cpu, void (*wake)(void* context) noexcept,
                  void* context) noexcept;

}  // namespace lstmfast::base
