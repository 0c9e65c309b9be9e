// Memory that an object keeps from call to call, used by one call at a time. Knows nothing of its
// content.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "base/no_copy.h"

namespace lstmfast::model {

// Calls exclude each other by a lease of the object (base/busy.h). A fork may happen during a call:
// the child then has partly changed memory, which its next call replaces.
template <class M>
class KeptMemory : base::NoCopy {
 public:
  explicit KeptMemory(std::function<std::unique_ptr<M>()> make)
      : make_(std::move(make)), memory_(make_()) {}
  ~KeptMemory() { forsake_half_changed(); }

  // Access to the memory for one call.
  class Change : base::NoCopy {
   public:
    explicit Change(KeptMemory& kept) : kept_(kept) {
      if (kept.changing_) kept.replace();
      kept.changing_ = true;
    }
    ~Change() { kept_.changing_ = false; }
    M& operator*() { return *kept_.memory_; }
    M* operator->() { return kept_.memory_.get(); }

   private:
    KeptMemory& kept_;
  };

  // Replaces the memory by a new one. Called within a change.
  void clear() { replace(); }

 private:
  void replace() {
    std::unique_ptr<M> fresh = make_();
    forsake_half_changed();
    memory_ = std::move(fresh);
  }
  // In a child, memory that a thread of the parent was changing at the fork is neither read nor
  // freed.
  void forsake_half_changed() noexcept {
    if (std::exchange(changing_, false)) static_cast<void>(memory_.release());
  }

  const std::function<std::unique_ptr<M>()> make_;
  std::unique_ptr<M> memory_;
  bool changing_ = false;
};

}  // namespace lstmfast::model
