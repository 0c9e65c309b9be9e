// How many threads are worth starting, from environment and machine; must not know the team.
#pragma once

#include <string>
#include <vector>

namespace lstmfast::base {

inline constexpr int kMaxThreads = 1024;

// Where the facts are read from: by default this process on this machine; tests give their own.
struct SystemView {
  std::string root;       // put before /sys and /proc
  std::vector<int> cpus;  // the process may run on these; empty: ask the system
  const char* (*variable)(const char* name) = nullptr;  // environment; null: the real one
};

// LSTMFAST_NUM_THREADS, else OMP_NUM_THREADS (its first number), else the smaller of usable_cores
// and cpu_quota. 1 to kMaxThreads. Throws std::invalid_argument naming a variable that is no such
// number.
int default_thread_count(const SystemView& view = {});

// Physical cores among the CPUs this process may run on: siblings of one core count once, because
// two threads of one core share its FMA units.
int usable_cores(const SystemView& view = {});

// Whole CPUs that the control groups of this process grant (cpu.max, cpu.cfs_quota_us), at least 1;
// a thread beyond them would stall the others at every barrier. 0: no quota.
int cpu_quota(const SystemView& view = {});

// The CPUs this process may run on, ascending; empty where the system cannot say.
std::vector<int> affinity_cpus();

}  // namespace lstmfast::base
