#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/cache_sizes.h"
#include "base/cpu_count.h"
#include "base/system_text.h"

namespace lstmfast::base {
namespace {

// A folder that plays the machine: removed at the end.
class Machine {
 public:
  Machine() {
    static int made = 0;
    root_ = std::filesystem::temp_directory_path() /
            ("lstmfast_machine_" + std::to_string(::getpid()) + "_" + std::to_string(made++));
    std::filesystem::create_directories(root_);
  }
  ~Machine() { std::filesystem::remove_all(root_); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void write(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_.string() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << "\n";
  }
  void cpu(int cpu, const std::string& siblings) const {
    write("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/core_cpus_list",
          siblings);
  }
  void cache(int i, const char* level, const char* type, const char* size) const {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
    write(folder + "level", level);
    write(folder + "type", type);
    write(folder + "size", size);
  }
  SystemView view(std::vector<int> cpus) const {
    return {root_.string(), std::move(cpus), [](const char*) -> const char* { return nullptr; }};
  }

 private:
  std::filesystem::path root_;
};

const char* ours = nullptr;
const char* omp = nullptr;

int count_with(const Machine& machine, const char* our_value, const char* omp_value) {
  ours = our_value;
  omp = omp_value;
  SystemView view = machine.view({0, 1, 2, 3});
  view.variable = [](const char* name) {
    return std::string(name) == "LSTMFAST_NUM_THREADS"
               ? ours
               : (std::string(name) == "OMP_NUM_THREADS" ? omp : nullptr);
  };
  return default_thread_count(view);
}

}  // namespace

TEST_CASE("system text: numbers, sizes, lists") {
  CHECK(parse_number(" 42\n") == 42);
  CHECK_FALSE(parse_number("").has_value());
  CHECK_FALSE(parse_number("-1").has_value());
  CHECK_FALSE(parse_number("+1").has_value());
  CHECK_FALSE(parse_number("4 2").has_value());
  CHECK_FALSE(parse_number("0x10").has_value());
  CHECK(parse_number("9223372036854775807") == 9223372036854775807LL);
  CHECK_FALSE(parse_number("9223372036854775808").has_value());
  CHECK(parse_size("48K") == 48 * 1024);
  CHECK(parse_size("2M") == 2 * 1024 * 1024);
  CHECK(parse_size("512") == 512);
  CHECK_FALSE(parse_size("K").has_value());
  CHECK_FALSE(parse_size("9223372036854775807K").has_value());
  CHECK(parse_cpu_list("0-3,8\n") == std::vector<int>{0, 1, 2, 3, 8});
  CHECK(parse_cpu_list("5") == std::vector<int>{5});
  CHECK(parse_cpu_list("").empty());
  CHECK(parse_cpu_list("3-1").empty());
  CHECK(parse_cpu_list("0-").empty());
  CHECK(parse_cpu_list("0-99999999999").empty());
}

TEST_CASE("thread count: siblings of one core count once") {
  const Machine m;
  for (int cpu = 0; cpu < 8; ++cpu) {
    m.cpu(cpu, std::to_string(cpu % 4) + "," + std::to_string(cpu % 4 + 4));
  }
  CHECK(usable_cores(m.view({0, 1, 2, 3, 4, 5, 6, 7})) == 4);
  CHECK(usable_cores(m.view({0, 4})) == 1);
  CHECK(usable_cores(m.view({4, 5, 1})) == 2);
  CHECK(usable_cores(m.view({6})) == 1);
  CHECK(usable_cores(m.view({20, 21, 22})) == 3);  // nothing is written about these
  CHECK(default_thread_count(m.view({0, 1, 2, 4})) == 3);
}

TEST_CASE("thread count: older name of the sibling list") {
  const Machine m;
  m.write("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0-1");
  m.write("/sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "0-1");
  CHECK(usable_cores(m.view({0, 1})) == 1);
}

TEST_CASE("thread count: control groups, version 2") {
  const Machine m;
  CHECK(cpu_quota(m.view({0})) == 0);
  m.write("/proc/self/cgroup", "0::/user.slice/job");
  CHECK(cpu_quota(m.view({0})) == 0);
  m.write("/sys/fs/cgroup/user.slice/job/cpu.max", "max 100000");
  CHECK(cpu_quota(m.view({0})) == 0);
  m.write("/sys/fs/cgroup/user.slice/job/cpu.max", "650000 100000");
  CHECK(cpu_quota(m.view({0})) == 6);
  m.write("/sys/fs/cgroup/user.slice/cpu.max", "250000 100000");  // the parent's is smaller
  CHECK(cpu_quota(m.view({0})) == 2);
  m.write("/sys/fs/cgroup/cpu.max", "50000 100000");  // half a CPU is one thread
  CHECK(cpu_quota(m.view({0})) == 1);
  CHECK(default_thread_count(m.view({0, 1, 2, 3})) == 1);
}

TEST_CASE("thread count: control groups, top of a container and paths outside of it") {
  const Machine m;
  m.write("/sys/fs/cgroup/cpu.max", "300000 100000");
  m.write("/proc/self/cgroup", "0::/");
  CHECK(cpu_quota(m.view({0})) == 3);
  CHECK(default_thread_count(m.view({0, 1, 2, 3, 4})) == 3);
  CHECK(default_thread_count(m.view({0, 1})) == 2);
  m.write("/proc/self/cgroup", "0::/../../elsewhere");
  CHECK(cpu_quota(m.view({0})) == 3);
  m.write("/sys/fs/cgroup/cpu.max", "nonsense");
  CHECK(cpu_quota(m.view({0})) == 0);
  m.write("/sys/fs/cgroup/cpu.max", "100000 0");
  CHECK(cpu_quota(m.view({0})) == 0);
}

TEST_CASE("thread count: control groups, version 1") {
  const Machine m;
  m.write("/proc/self/cgroup", "12:cpuset:/a\n4:cpu,cpuacct:/docker/x\n1:name=systemd:/a");
  const std::string mount = "/sys/fs/cgroup/cpu,cpuacct";
  m.write(mount + "/cpu.cfs_quota_us", "-1");
  m.write(mount + "/cpu.cfs_period_us", "100000");
  CHECK(cpu_quota(m.view({0})) == 0);
  m.write(mount + "/docker/x/cpu.cfs_quota_us", "200000");
  m.write(mount + "/docker/x/cpu.cfs_period_us", "50000");
  CHECK(cpu_quota(m.view({0})) == 4);
  m.write(mount + "/cpu.cfs_quota_us", "300000");
  CHECK(cpu_quota(m.view({0})) == 3);
}

TEST_CASE("thread count: variables come first; ours must be a number") {
  const Machine m;
  CHECK(count_with(m, nullptr, nullptr) == 4);
  CHECK(count_with(m, "7", "2") == 7);
  CHECK(count_with(m, "", "2") == 2);
  CHECK(count_with(m, nullptr, " 3 ") == 3);
  CHECK(count_with(m, nullptr, "5,2") == 5);
  CHECK_THROWS_WITH_AS(
      count_with(m, "many", nullptr),
      "[threads] LSTMFAST_NUM_THREADS is \"many\"; expected a number from 1 to 1024",
      std::invalid_argument);
  for (const char* bad : {"0", "-2", "2.5", "1025", "4,2", "99999999999999999999"}) {
    CHECK_THROWS_AS(count_with(m, bad, "2"), std::invalid_argument);
  }
  // Others set OpenMP's variable: what is no number there is passed over.
  for (const char* bad : {"x", "abc", "", "0", "-2", ",4", "2.5", "99999999999999999999"}) {
    CHECK(count_with(m, nullptr, bad) == 4);
  }
  CHECK(count_with(m, nullptr, "4096") == 1024);
  CHECK(count_with(m, nullptr, "2 , 4") == 2);
  CHECK(count_with(m, "2", "x") == 2);  // not looked at
}

TEST_CASE("thread count: this machine") {
  const int cores = usable_cores();
  CHECK(cores >= 1);
  CHECK(cores <= static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  CHECK(cpu_quota() >= 0);
}

TEST_CASE("cache sizes: from sysfs") {
  const Machine m;
  m.cache(0, "1", "Data", "48K");
  m.cache(1, "1", "Instruction", "32K");
  m.cache(2, "2", "Unified", "1024K");
  CacheSizes s = read_cache_sizes(m.view({0}));
  CHECK(s.l1d == 48 << 10);
  CHECK(s.l2 == 1 << 20);
  CHECK(s.l3 == 0);
  m.cache(3, "3", "Unified", "32M");
  s = read_cache_sizes(m.view({0}));
  CHECK(s.l3 == 32 << 20);
}

TEST_CASE("cache sizes: absurd or missing ones are replaced") {
  const Machine m;
  CacheSizes s = read_cache_sizes(m.view({0}));
  CHECK(s.l1d == 32 << 10);
  CHECK(s.l2 == 256 << 10);
  CHECK(s.l3 == 4 << 20);
  m.cache(0, "1", "Data", "0K");
  m.cache(1, "2", "Unified", "hello");
  s = read_cache_sizes(m.view({0}));
  CHECK(s.l1d == 32 << 10);
  CHECK(s.l2 == 256 << 10);
}

TEST_CASE("cache sizes: this machine") {
  const CacheSizes& s = cache_sizes();
  CHECK(s.l1d >= 4 << 10);
  CHECK(s.l2 >= s.l1d);
  CHECK(&s == &cache_sizes());
}

}  // namespace lstmfast::base
