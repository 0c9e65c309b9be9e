// Memories of concurrent calls, kept warm between calls. Knows nothing of what they hold.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace lstmfast::model {

// As many as ever ran at once; a caller alone gets the same one each time.
template <class M>
class Pool {
 public:
  explicit Pool(std::function<std::unique_ptr<M>()> make) : make_(std::move(make)) {}

  // One memory for one caller, back in the pool at the end of the lease.
  class Lease {
   public:
    explicit Lease(Pool& pool) : pool_(pool), memory_(pool.take()) {}
    ~Lease() { pool_.give(std::move(memory_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    M& operator*() { return *memory_; }
    M* operator->() { return memory_.get(); }

   private:
    Pool& pool_;
    std::unique_ptr<M> memory_;
  };

 private:
  std::unique_ptr<M> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.reserve(free_.size() + taken_ + 1);  // so that give() cannot fail
    std::unique_ptr<M> memory;
    if (free_.empty()) {
      memory = make_();
    } else {
      memory = std::move(free_.back());
      free_.pop_back();
    }
    ++taken_;
    return memory;
  }
  void give(std::unique_ptr<M> memory) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    --taken_;
    free_.push_back(std::move(memory));
  }

  std::function<std::unique_ptr<M>()> make_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<M>> free_;
  std::size_t taken_ = 0;
};

}  // namespace lstmfast::model
