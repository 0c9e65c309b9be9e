// Liveness of a graph's arrays: arrays that are never live at the same time share slots of memory.
// Knows no layers.
#pragma once

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/arena.h"

namespace lstmfast::layers {

// Assigns slots to numbered arrays and reuses released ones. Called in the order in which a pass
// computes. Sizes are of one sample; a slot becomes as large as the largest array that it ever
// holds.
class SlotPool {
 public:
  explicit SlotPool(std::size_t arrays) : slots_(arrays, -1) {}

  void take(index array, index count) {
    // the smallest that is large enough, else the largest
    auto best = free_.lower_bound({count, 0});
    if (best == free_.end() && !free_.empty()) --best;
    index& slot = slots_[array];
    if (best == free_.end()) {
      slot = static_cast<index>(sizes_.size());
      sizes_.push_back(count);
    } else {
      slot = best->second;
      sizes_[slot] = std::max(sizes_[slot], count);
      free_.erase(best);
    }
  }
  // Of an array that took no slot: nothing.
  void give(index array) {
    const index slot = slots_[array];
    if (slot >= 0) free_.emplace(sizes_[slot], slot);
  }

  // The memory of each array, once all have been taken.
  template <class T>
  std::vector<base::Slot<T>> plan(base::Planner& planner, index batch) const {
    std::vector<base::Slot<T>> memory, out;
    for (const index size : sizes_) memory.push_back(planner.add<T>(batch * size));
    for (const index slot : slots_) out.push_back(slot < 0 ? base::Slot<T>{} : memory[slot]);
    return out;
  }

 private:
  std::vector<index> slots_;                // by array
  std::vector<index> sizes_;                // by slot
  std::set<std::pair<index, index>> free_;  // by size, then slot
};

}  // namespace lstmfast::layers
