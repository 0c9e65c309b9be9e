#include "base/cpu_count.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <set>
#include <thread>

#include "base/check.h"
#include "base/system_text.h"

#if defined(__linux__)
#include <sched.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace lstmfast::base {
namespace {

const char* variable(const SystemView& view, const char* name) {
  return view.variable != nullptr ? view.variable(name) : std::getenv(name);
}

// The core's own variable; 0 where it is not set, or empty.
int count_from_ours(const SystemView& view) {
  const char* const name = "LSTMFAST_NUM_THREADS";
  const char* value = variable(view, name);
  if (value == nullptr || trim(value).empty()) return 0;
  const auto count = parse_number(trim(value));
  LF_CHECK(count && *count >= 1 && *count <= kMaxThreads,
           "[threads] " << name << " is \"" << value << "\"; expected a number from 1 to "
                        << kMaxThreads);
  return static_cast<int>(*count);
}

// OpenMP's variable, the first number of a list; 0 where it is not set. It is set for other
// programs too, so a malformed value is no error but counts as not set.
int count_from_openmp(const SystemView& view) {
  const char* value = variable(view, "OMP_NUM_THREADS");
  if (value == nullptr) return 0;
  const std::string_view text = value;
  const auto count = parse_number(trim(text.substr(0, text.find(','))));
  if (!count || *count < 1) return 0;
  return static_cast<int>(std::min<std::int64_t>(*count, kMaxThreads));
}

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

// In CPUs. Quotas are "max" and -1 where there is none.
double quota_of(std::string_view quota, std::string_view period) {
  const auto granted = parse_number(quota), of = parse_number(period);
  if (granted.value_or(0) == 0 || of.value_or(0) == 0) return kNoQuota;
  return static_cast<double>(*granted) / static_cast<double>(*of);
}

// cpu.max: "max 100000" or "150000 100000".
double quota_v2(const std::string& folder) {
  const std::string line = read_line(folder + "/cpu.max");
  const std::string_view text = trim(line);
  const std::size_t blank = std::min(text.find(' '), text.size());
  return quota_of(text.substr(0, blank), text.substr(blank));
}

double quota_v1(const std::string& folder) {
  return quota_of(read_line(folder + "/cpu.cfs_quota_us"),
                  read_line(folder + "/cpu.cfs_period_us"));
}

// The smallest quota of a group and its parents. `mount` is where the hierarchy is mounted, `group`
// the path below it: "" or "/a/b".
double smallest_quota(const std::string& mount, std::string group,
                      double (*quota)(const std::string& folder)) {
  double smallest = kNoQuota;
  for (;;) {
    smallest = std::min(smallest, quota(mount + group));
    const std::size_t slash = group.rfind('/');
    if (slash == std::string::npos) return smallest;
    group.erase(slash);
  }
}

}  // namespace

std::vector<int> affinity_cpus() {
  std::vector<int> cpus;
#if defined(__linux__)
  // The kernel refuses a set smaller than its own, whose size it does not tell.
  for (int room = 1024; room <= (1 << 16); room *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(room));
    if (set == nullptr) return cpus;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(room));
    CPU_ZERO_S(bytes, set);
    const bool known = ::sched_getaffinity(0, bytes, set) == 0;
    for (int cpu = 0; known && cpu < room; ++cpu) {
      if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set)) cpus.push_back(cpu);
    }
    CPU_FREE(set);
    if (known) break;
  }
#endif
  return cpus;
}

int usable_cores(const SystemView& view) {
  const std::vector<int> cpus = view.cpus.empty() ? affinity_cpus() : view.cpus;
  if (!cpus.empty()) {
    // A core is named by the first of its CPUs; a CPU about which nothing is written is a core.
    std::set<int> cores;
    for (const int cpu : cpus) {
      const std::string folder =
          view.root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
      std::vector<int> core = parse_cpu_list(read_line(folder + "core_cpus_list"));
      if (core.empty()) core = parse_cpu_list(read_line(folder + "thread_siblings_list"));
      cores.insert(core.empty() ? cpu : *std::min_element(core.begin(), core.end()));
    }
    return static_cast<int>(cores.size());
  }
#if defined(__APPLE__)
  // Performance cores where there are two kinds: a slow thread holds up every barrier.
  for (const char* name : {"hw.perflevel0.physicalcpu", "hw.physicalcpu"}) {
    int count = 0;
    std::size_t bytes = sizeof(count);
    if (::sysctlbyname(name, &count, &bytes, nullptr, 0) == 0 && count > 0) return count;
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int cpu_quota(const SystemView& view) {
  const std::string mounts = view.root + "/sys/fs/cgroup";
  double quota = kNoQuota;
  // Lines "0::/path" (version 2) and "4:cpu,cpuacct:/path" (version 1).
  for (const std::string& line : read_lines(view.root + "/proc/self/cgroup")) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    // A path outside of what a container sees: the top of the mount is the group of this process.
    if (group == "/" || group.find("..") != std::string::npos) group.clear();
    const auto look = [&](const std::string& mount, double (*of)(const std::string&)) {
      quota = std::min(quota, smallest_quota(mounts + mount, group, of));
    };
    if (controllers.empty()) {
      look("", quota_v2);
      look("/unified", quota_v2);
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      look("/" + controllers, quota_v1);
      look("/cpu", quota_v1);
    }
  }
  return quota == kNoQuota ? 0 : static_cast<int>(std::clamp(quota, 1.0, 1e6));
}

int default_thread_count(const SystemView& view) {
  int count = count_from_ours(view);
  if (count == 0) count = count_from_openmp(view);
  if (count > 0) return count;
  const int cores = usable_cores(view), quota = cpu_quota(view);
  return std::clamp(quota > 0 ? std::min(cores, quota) : cores, 1, kMaxThreads);
}

}  // namespace lstmfast::base
