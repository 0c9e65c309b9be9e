// The parameters of a layer: names, logical shapes, and the packed block that holds their values.
// Knows the packed layout, no layers.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/busy.h"
#include "base/no_copy.h"
#include "base/plain.h"
#include "layers/touched_rows.h"
#include "ops/panels.h"

namespace lstmfast::layers {

struct Parameter {
  std::string name;          // kernel, bias, ...
  std::vector<index> shape;  // logical
  ops::PartLayout layout;    // counts from the start of a packed block
  index block = 0;           // element of the owner's memory at which that packed block starts
  bool trained = true;       // false: a statistic, which has no gradient

  index count() const { return layout.rows * layout.columns; }

  // `flat` is laid out as the owner's memory (values, gradients, an optimizer's slot); `logical`
  // [layout.rows][layout.columns] is row-major.
  template <class T>
  void export_to(const T* flat, T* logical) const {
    ops::export_part(layout, flat + block, logical);
  }
  template <class T>
  void import_from(const T* logical, T* flat) const {
    ops::import_part(layout, logical, flat + block);
  }
};

// The parameters of one layer. All models that contain the layer use the same values.
template <class T>
class Parameters : base::NoCopy {
 public:
  // Adds room for one packed block and returns its first element. Blocks start on cache lines; the
  // padding between them stays zero.
  index add_block(index size) {
    const index first = size_;
    size_ += (size + kBlockGrain - 1) / kBlockGrain * kBlockGrain;
    return first;
  }
  // Order of calls: the order of users' weight lists.
  void add(std::string name, std::vector<index> shape, const ops::PartLayout& layout, index block) {
    list_.push_back({std::move(name), std::move(shape), layout, block});
  }

  // Adds a block of one array, in plain rows along its last axis, and returns its first element.
  index add_plain(std::string name, const std::vector<index>& shape) {
    const index columns = shape.empty() ? 1 : shape.back();
    index count = 1;
    for (const index size : shape) count *= size;
    const index block = add_block(count);
    add(std::move(name), shape, ops::plain_rows(count / columns, columns), block);
    return block;
  }
  // As add_plain, for an array that the layer changes itself, as a moving mean. These come last.
  index add_statistic(std::string name, const std::vector<index>& shape) {
    const index block = add_plain(std::move(name), shape);
    list_.back().trained = false;
    if (statistics_ < 0) statistics_ = block;
    return block;
  }

  // Of a layer whose only parameter is a table, of which a step's gradients touch few rows
  // (layers/touched_rows.h).
  void set_sparse() { sparse_ = true; }
  bool sparse() const { return sparse_; }

  const std::vector<Parameter>& list() const { return list_; }
  index size() const { return size_; }  // elements of the memory
  // Of its first part, which has gradients; the statistics follow.
  index trained_size() const { return statistics_ < 0 ? size_ : statistics_; }

  // Sets the memory of the values: from element `offset` of a zeroed buffer, which lives as long as
  // one of its layers. An optimizer updates neighbours in a buffer in one pass.
  void place(std::shared_ptr<base::Buffer<T>> memory, index offset) {
    memory_ = std::move(memory);
    values_ = memory_->data() + offset;
  }
  T* values() const { return values_; }  // null before place()

  // A frozen layer passes gradients on and computes none of its own. Takes effect at the next step.
  bool trainable() const { return trainable_.load(std::memory_order_relaxed); }
  void set_trainable(bool trainable) { trainable_.store(trainable, std::memory_order_relaxed); }
  const std::atomic<bool>& trainable_flag() const { return trainable_; }

  // Held by calls that change the values or need them unchanged.
  base::BusyFlag& busy() const { return busy_; }

 private:
  static constexpr index kBlockGrain = 16;  // elements: 64 bytes of float

  std::vector<Parameter> list_;
  bool sparse_ = false;
  index size_ = 0;
  index statistics_ = -1;  // their first element; -1: there are none
  std::shared_ptr<base::Buffer<T>> memory_;
  T* values_ = nullptr;
  std::atomic<bool> trainable_{true};
  mutable base::BusyFlag busy_;
};

// A layer's gradients in the one flat block of a compiled model.
struct GradientBlock {
  const std::atomic<bool>* trainable;
  index offset;
  std::unique_ptr<TouchedRows> touched;  // null: the gradients are dense
  // Whether the gradients are those of the step before, to be overwritten; never of sparse ones.
  // Changed by passes, for which the layout is constant.
  mutable bool stale;
};

// Those of all layers.
template <class T>
class GradientLayout {
 public:
  struct Entry : GradientBlock {
    Parameters<T>* parameters;
  };

  void add(Parameters<T>& parameters) {
    Entry& entry = entries_.emplace_back(
        Entry{{&parameters.trainable_flag(), size_, nullptr, false}, &parameters});
    if (parameters.sparse()) {
      const ops::PartLayout& table = parameters.list().front().layout;
      entry.touched = std::make_unique<TouchedRows>(table.rows, table.columns);
    }
    size_ += parameters.trained_size();
  }
  // Null: the parameters are not trained.
  const Entry* find(const Parameters<T>& parameters) const {
    for (const Entry& entry : entries_) {
      if (entry.parameters == &parameters) return &entry;
    }
    return nullptr;
  }
  const std::vector<Entry>& entries() const { return entries_; }
  index size() const { return size_; }

 private:
  std::vector<Entry> entries_;
  index size_ = 0;
};

}  // namespace lstmfast::layers
