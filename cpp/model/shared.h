// A pointer to an object that several calls use and that may be replaced meanwhile. Knows nothing
// of the object.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "base/busy.h"
#include "base/no_copy.h"

namespace lstmfast::model {

// Used in place of an atomic std::shared_ptr: a fork may copy that one's lock while another thread
// holds it. Here the lock is a lease, which is valid in its own process only, and the protected
// pointer changes in one store.
template <class M>
class Shared : base::NoCopy {
 public:
  Shared() = default;
  ~Shared() { delete held_.load(std::memory_order_relaxed); }

  std::shared_ptr<M> get() const {
    const base::Busy busy(lock_, "shared", base::Busy::Kind::brief);
    const std::shared_ptr<M>* const held = held_.load(std::memory_order_relaxed);
    return held != nullptr ? *held : nullptr;
  }
  // Returns the previous object.
  std::shared_ptr<M> exchange(std::shared_ptr<M> next) {
    auto held = std::make_unique<std::shared_ptr<M>>(std::move(next));
    {
      const base::Busy busy(lock_, "shared", base::Busy::Kind::brief);
      held.reset(held_.exchange(held.release(), std::memory_order_relaxed));
    }
    return held != nullptr ? std::move(*held) : nullptr;
  }

 private:
  mutable base::BusyFlag lock_;
  std::atomic<std::shared_ptr<M>*> held_{nullptr};  // null: never set
};

}  // namespace lstmfast::model
