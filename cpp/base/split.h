// Fair contiguous shares of a range; must not know who takes them.
#pragma once

#include <algorithm>

#include "base/check.h"
#include "base/plain.h"

namespace lstmfast::base {

struct Range {
  index begin = 0;
  index end = 0;
  index size() const noexcept { return end - begin; }
  bool empty() const noexcept { return end <= begin; }
};

// Share `part` of `parts` of [0, count). Shares ascend, cover all, begin at multiples of `grain`,
// and differ by one grain at most (the last grain may be short); the last ones may be empty.
inline Range split(index count, int part, int parts, index grain = 1) noexcept {
  LF_ASSERT(count >= 0 && grain > 0 && part >= 0 && part < parts);
  const index grains = (count + grain - 1) / grain;
  const index each = grains / parts;
  const index extra = grains % parts;
  const index first = part * each + std::min<index>(part, extra);
  const index last = first + each + (part < extra ? 1 : 0);
  return {std::min(first * grain, count), std::min(last * grain, count)};
}

}  // namespace lstmfast::base
