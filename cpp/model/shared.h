// An object that several calls share and that may be replaced while they do. Knows nothing of it.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "base/busy.h"

namespace lstmfast::model {

// In place of an atomic std::shared_ptr, whose lock in the standard library a fork may copy while
// another thread holds it. Here the lock is a lease, which is valid in its own process only, and
// what it protects changes in one store.
template <class M>
class Shared {
 public:
  Shared() = default;
  ~Shared() { delete held_.load(std::memory_order_relaxed); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  std::shared_ptr<M> get() const {
    const base::Busy busy(lock_, "shared", base::Busy::Kind::brief);
    const std::shared_ptr<M>* const held = held_.load(std::memory_order_relaxed);
    return held != nullptr ? *held : nullptr;
  }
  // Returns what was held before.
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
