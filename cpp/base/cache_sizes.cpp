#include "base/cache_sizes.h"

#include <cstdint>
#include <string>

#include "base/system_text.h"

#if defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__linux__)
#include <unistd.h>
#endif

namespace lstmfast::base {
namespace {

constexpr CacheSizes kUnknown{-1, -1, -1};

// Takes the plausible sizes of `from` for those that are still unknown.
void fill_unknown(const CacheSizes& from, CacheSizes* sizes) {
  constexpr index kKiB = 1 << 10;
  constexpr index kMiB = 1 << 20;
  const auto take = [](index value, index least, index most, index* size) {
    if (*size < 0 && value >= least && value <= most) *size = value;
  };
  take(from.l1d, 4 * kKiB, kMiB, &sizes->l1d);
  take(from.l2, 64 * kKiB, 256 * kMiB, &sizes->l2);
  take(from.l3, from.l3 == 0 ? 0 : 256 * kKiB, 4096 * kMiB, &sizes->l3);
}

CacheSizes from_sysfs(const SystemView& view) {
  CacheSizes sizes = kUnknown;
  const std::vector<int> cpus = view.cpus.empty() ? affinity_cpus() : view.cpus;
  const std::string cpu = std::to_string(cpus.empty() ? 0 : cpus.front());
  for (int i = 0; i < 16; ++i) {
    const std::string folder =
        view.root + "/sys/devices/system/cpu/cpu" + cpu + "/cache/index" + std::to_string(i) + "/";
    const std::string type = read_line(folder + "type");
    if (type.empty()) break;
    if (type == "Instruction") continue;
    const auto level = parse_number(read_line(folder + "level"));
    const auto bytes = parse_size(read_line(folder + "size"));
    index* const of_level[] = {&sizes.l1d, &sizes.l2, &sizes.l3};
    if (level && bytes && *level >= 1 && *level <= 3) *of_level[*level - 1] = *bytes;
  }
  // A system that lists the first two caches and no third has no third.
  if (sizes.l1d > 0 && sizes.l2 > 0 && sizes.l3 < 0) sizes.l3 = 0;
  return sizes;
}

CacheSizes from_library() {
  CacheSizes sizes = kUnknown;
#if defined(__APPLE__)
  const auto ask = [](const char* name) {
    std::int64_t value = 0;
    std::size_t bytes = sizeof(value);
    return ::sysctlbyname(name, &value, &bytes, nullptr, 0) == 0 ? static_cast<index>(value) : -1;
  };
  sizes = {ask("hw.perflevel0.l1dcachesize"), ask("hw.perflevel0.l2cachesize"),
           ask("hw.l3cachesize")};
  if (sizes.l1d < 0) sizes.l1d = ask("hw.l1dcachesize");
  if (sizes.l2 < 0) sizes.l2 = ask("hw.l2cachesize");
#elif defined(_SC_LEVEL1_DCACHE_SIZE)
  sizes = {::sysconf(_SC_LEVEL1_DCACHE_SIZE), ::sysconf(_SC_LEVEL2_CACHE_SIZE),
           ::sysconf(_SC_LEVEL3_CACHE_SIZE)};
  if (sizes.l3 == 0) sizes.l3 = -1;  // 0 here is also the answer of a library that does not know
#endif
  return sizes;
}

}  // namespace

CacheSizes read_cache_sizes(const SystemView& view) {
  CacheSizes sizes = kUnknown;
  fill_unknown(from_sysfs(view), &sizes);
  if (view.root.empty()) fill_unknown(from_library(), &sizes);
  fill_unknown({32 << 10, 256 << 10, 4 << 20}, &sizes);
  return sizes;
}

const CacheSizes& cache_sizes() {
  static const CacheSizes sizes = read_cache_sizes();
  return sizes;
}

}  // namespace lstmfast::base
