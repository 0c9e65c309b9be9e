// Liveness of a graph's arrays: arrays that are never live at the same time share slots of memory.
// Knows no layers.
#pragma once

#include <vector>

#include "base/arena.h"

namespace lstmfast::layers {

// Assigns slots to arrays and reuses released ones. Called in the order in which a pass computes.
// Sizes count elements; a slot becomes as large as the largest array that it ever holds.
class SlotPool {
 public:
  index take(index count) {
    // the smallest that is large enough, else the largest
    index best = -1;
    for (index slot = 0; slot < static_cast<index>(sizes_.size()); ++slot) {
      if (!free_[at(slot)]) continue;
      const bool fits = size(slot) >= count;
      if (best < 0 || (fits ? size(best) < count || size(slot) < size(best)
                            : size(best) < count && size(slot) > size(best))) {
        best = slot;
      }
    }
    if (best < 0) {
      best = static_cast<index>(sizes_.size());
      sizes_.push_back(0);
      free_.push_back(false);
    }
    free_[at(best)] = false;
    if (size(best) < count) sizes_[at(best)] = count;
    return best;
  }
  void give(index slot) { free_[at(slot)] = true; }

  // The memory of each slot, once all have been taken.
  template <class T>
  std::vector<base::Slot<T>> plan(base::Planner& planner) const {
    std::vector<base::Slot<T>> out;
    for (const index size : sizes_) out.push_back(planner.add<T>(size));
    return out;
  }

 private:
  static std::size_t at(index slot) { return static_cast<std::size_t>(slot); }
  index size(index slot) const { return sizes_[at(slot)]; }

  std::vector<index> sizes_;
  std::vector<bool> free_;
};

}  // namespace lstmfast::layers
