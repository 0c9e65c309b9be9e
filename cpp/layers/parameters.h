// The parameters of a layer: names, logical shapes, and the packed block that holds their values.
// Knows the packed layout, no layers.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
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
#include "ops/reduced.h"

namespace lstmfast::layers {

struct Parameter {
  std::string name;          // kernel, bias, ...
  std::vector<index> shape;  // logical
  ops::PartLayout layout;    // counts from the start of a packed block
  index block = 0;           // element of the owner's memory at which that packed block starts
  bool trained = true;       // false: a statistic, which has no gradient
  // A kernel in reduced precision: it begins at byte `block` of memory of its own.
  ops::ReducedMatrix reduced = {};
  bool shares_scales = false;  // in int8 its columns have the scales of the parameter before it

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

// "float32" (or float64), "bfloat16", "int8".
inline const char* name_of(Precision precision) {
  if (precision == Precision::full) return "float32";
  return precision == Precision::int8 ? "int8" : "bfloat16";
}
inline Precision precision_of(const std::string& name) {
  for (const Precision each : {Precision::bfloat16, Precision::int8}) {
    if (name == name_of(each)) return each;
  }
  return Precision::full;
}

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

  // Of a kernel: `reduced`, unless its precision is full, lies from byte `first` of the kernels on.
  void add_kernel(std::string name, std::vector<index> shape, const ops::PartLayout& layout,
                  index block, const ops::ReducedMatrix& reduced, index first = 0,
                  bool shares_scales = false) {
    add(std::move(name), std::move(shape), layout, reduced ? first : block);
    if (!reduced) return;
    list_.back().reduced = reduced;
    list_.back().shares_scales = shares_scales;
    reduced_bytes_ = std::max(reduced_bytes_, first + reduced.bytes());
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
  // Of the kernels; full: the values have them.
  Precision precision() const {
    for (const Parameter& each : list_) {
      if (each.reduced) return each.reduced.precision;
    }
    return Precision::full;
  }
  index size() const { return size_; }  // elements of the memory of the values
  std::size_t bytes() const {           // of all memory
    return static_cast<std::size_t>(size_) * sizeof(T) + static_cast<std::size_t>(reduced_bytes_);
  }
  // Of its first part, which has gradients; the statistics follow.
  index trained_size() const { return statistics_ < 0 ? size_ : statistics_; }

  // Sets the memory of the values: from element `offset` of a zeroed buffer, which lives as long as
  // one of its layers. An optimizer updates neighbours in a buffer in one pass.
  void place(std::shared_ptr<base::Buffer<T>> memory, index offset) {
    if (reduced_bytes_ > 0)
      reduced_ = std::make_shared<base::Buffer<unsigned char>>(reduced_bytes_);
    memory_ = std::move(memory);
    values_ = memory_->data() + offset;
  }
  T* values() const { return values_; }  // null before place()
  // The kernels in reduced precision, packed.
  unsigned char* reduced() const { return reduced_ ? reduced_->data() : nullptr; }
  // Those of another layer of this configuration. Kernels in reduced precision, which never change
  // once they are set, become one memory of both.
  void take(const Parameters& other) {
    std::copy_n(other.values_, size_, values_);
    reduced_ = other.reduced_;
  }
  bool equals(const Parameters& other) const {
    const auto bytes = static_cast<std::size_t>(size_) * sizeof(T);
    return (bytes == 0 || std::memcmp(values_, other.values_, bytes) == 0) &&
           reduced_ == other.reduced_;
  }
  // Copies the values of one of these parameters, as numbers.
  void get(const Parameter& parameter, T* logical) const {
    if (parameter.reduced) return get_reduced(parameter, logical);
    parameter.export_to(static_cast<const T*>(values_), logical);
  }
  // Sets all kernels in reduced precision from numbers, in the order of the list.
  void reduce(const std::vector<std::vector<T>>& kernels);

  // A frozen layer passes gradients on and computes none of its own. Takes effect at the next step.
  bool trainable() const { return trainable_.load(std::memory_order_relaxed); }
  void set_trainable(bool trainable) { trainable_.store(trainable, std::memory_order_relaxed); }
  const std::atomic<bool>& trainable_flag() const { return trainable_; }

  // Held by calls that change the values or need them unchanged.
  base::BusyFlag& busy() const { return busy_; }

 private:
  static constexpr index kBlockGrain = 16;  // elements: 64 bytes of float

  void get_reduced(const Parameter& parameter, T* logical) const;

  std::vector<Parameter> list_;
  bool sparse_ = false;
  index size_ = 0;
  index statistics_ = -1;  // their first element; -1: there are none
  index reduced_bytes_ = 0;
  std::shared_ptr<base::Buffer<unsigned char>> reduced_;
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
