// Memories of concurrent calls, kept warm between calls. Knows nothing of their content.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/fork_count.h"
#include "base/no_copy.h"

namespace lstmfast::model {

// Callers that run one at a time get the same memory each time. The pool keeps as many memories as
// were in use at once during the last two windows of kWindow calls.
//
// A fork may copy a locked mutex and a partly changed list, while the threads that would finish the
// change exist in the parent only. The child therefore begins with an empty pool; what it inherited
// is neither read nor freed.
template <class M>
class Pool : base::NoCopy {
  struct Shelf {
    const std::uint32_t forks = base::fork_count();
    std::mutex mutex;
    std::vector<std::unique_ptr<M>> free;
    std::size_t taken = 0;
    std::size_t most = 0, most_before = 0;  // taken at once in this window, and in the last one
    std::size_t calls = 0;                  // of this window
  };

 public:
  static constexpr std::size_t kWindow = 256;

  explicit Pool(std::function<std::unique_ptr<M>()> make)
      : make_(std::move(make)), shelf_(new Shelf) {}
  ~Pool() {
    Shelf* const shelf = shelf_.load(std::memory_order_relaxed);
    if (shelf->forks == base::fork_count()) delete shelf;
  }

  // One memory for one caller, returned to the pool at the end of the lease.
  class Lease : base::NoCopy {
   public:
    explicit Lease(Pool& pool) : shelf_(pool.shelf()), memory_(take(shelf_, pool.make_)) {}
    ~Lease() { give(shelf_, std::move(memory_)); }
    M& operator*() { return *memory_; }
    M* operator->() { return memory_.get(); }

   private:
    Shelf& shelf_;
    std::unique_ptr<M> memory_;
  };

  // Frees the memories that no call uses.
  void clear() {
    Shelf& shelf = this->shelf();
    std::vector<std::unique_ptr<M>> dropped;  // freed after the lock
    const std::lock_guard<std::mutex> lock(shelf.mutex);
    dropped.swap(shelf.free);
  }

 private:
  // The shelf of this process.
  Shelf& shelf() {
    Shelf* shelf = shelf_.load(std::memory_order_acquire);
    if (shelf->forks != base::fork_count()) {
      auto fresh = std::make_unique<Shelf>();
      if (shelf_.compare_exchange_strong(shelf, fresh.get(), std::memory_order_acq_rel)) {
        shelf = fresh.release();
      }  // else another thread was first, and `shelf` is now its
    }
    return *shelf;
  }

  static std::unique_ptr<M> take(Shelf& shelf, const std::function<std::unique_ptr<M>()>& make) {
    std::unique_ptr<M> memory, dropped;  // freed after the lock
    const std::lock_guard<std::mutex> lock(shelf.mutex);
    shelf.free.reserve(shelf.free.size() + shelf.taken + 1);  // so that give() cannot fail
    if (shelf.free.empty()) {
      memory = make();
    } else {
      memory = std::move(shelf.free.back());
      shelf.free.pop_back();
    }
    shelf.most = std::max(shelf.most, ++shelf.taken);
    if (++shelf.calls == kWindow) {
      shelf.calls = 0;
      shelf.most_before = std::exchange(shelf.most, shelf.taken);
    }
    // Frees one memory a call; the first has been unused for the longest time.
    if (shelf.taken + shelf.free.size() > std::max(shelf.most, shelf.most_before)) {
      dropped = std::move(shelf.free.front());
      shelf.free.erase(shelf.free.begin());
    }
    return memory;
  }
  static void give(Shelf& shelf, std::unique_ptr<M> memory) noexcept {
    // In a child that was forked inside the lease, the shelf is the parent's.
    if (shelf.forks != base::fork_count()) return;
    const std::lock_guard<std::mutex> lock(shelf.mutex);
    --shelf.taken;
    shelf.free.push_back(std::move(memory));
  }

  const std::function<std::unique_ptr<M>()> make_;
  std::atomic<Shelf*> shelf_;
};

}  // namespace lstmfast::model
