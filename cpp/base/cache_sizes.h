// Sizes of the CPU's data caches, for plans that block; must not know the plans.
#pragma once

#include "base/cpu_count.h"
#include "base/plain.h"

namespace lstmfast::base {

// Bytes. l1d and l2 of one core; l3 of one cache, however many cores share it (0: there is none).
struct CacheSizes {
  index l1d;
  index l2;
  index l3;
};

// From sysfs, else the C library, which asks the CPU; a size that neither reports, or that is not
// plausible, is replaced by one that most CPUs have at least.
CacheSizes read_cache_sizes(const SystemView& view = {});

// Read once, then remembered.
const CacheSizes& cache_sizes();

}  // namespace lstmfast::base
