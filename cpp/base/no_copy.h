// The base of classes whose objects are neither copied nor moved. Knows none of them.
#pragma once

namespace lstmfast::base {

struct NoCopy {
  NoCopy() = default;
  NoCopy(const NoCopy&) = delete;
  NoCopy& operator=(const NoCopy&) = delete;
};

}  // namespace lstmfast::base
