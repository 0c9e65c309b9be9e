// A model: its definition, memory for the weights, and the training that compile() adds. Used by
// the trainer and by model files. Knows no Python.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/busy.h"
#include "base/check.h"
#include "base/no_copy.h"
#include "model/callbacks.h"
#include "model/carried.h"
#include "model/data.h"
#include "model/definition.h"
#include "model/pass_memory.h"
#include "model/pool.h"
#include "model/shared.h"
#include "model/stepper.h"
#include "model/training.h"

namespace lstmfast::model {

// The shapes of a call and what follows from them.
struct PassShapes {
  layers::Shapes inputs, outputs;  // of one sample, known
  double flops = 0;                // of forward for one sample, roughly
};

// predict() is const and may run in any number of threads while no thread changes weights, unless
// layers are stateful.
template <class T>
class Model : public std::enable_shared_from_this<Model<T>>, base::NoCopy {
 public:
  // Allocates weights that have no memory yet, in one block of zeros.
  explicit Model(Definition<T> definition);

  const Definition<T>& definition() const { return definition_; }

  // Arguments as for make_training(). Discards the optimizer's state of an earlier compile.
  void compile(const base::Options& config, Custom<T> custom = {});
  // Null before compile(). The returned object stays valid after a later compile().
  std::shared_ptr<Training<T>> training() const { return training_.get(); }
  // Throws, with `op` as the operation, if the model was not compiled.
  std::shared_ptr<Training<T>> training(const char* op) const {
    std::shared_ptr<Training<T>> out = training();
    LF_CHECK(out, "[" << op << "] the model is not compiled; expected compile() before");
    return out;
  }

  Pool<PassMemory<T>>& pool() const { return pool_; }
  Pool<Stepper<T>>& steppers() const { return steppers_; }
  // Frees the memory kept for later calls.
  void release_memory();

  // The shapes of a call with these samples. Throws unless the model takes them.
  std::shared_ptr<const PassShapes> shapes(const char* op, const Samples<T>& samples) const;
  // Throws for ids out of range; the error names the element.
  void check_ids(const char* op, const Samples<T>& samples) const;
  // Floating-point operations of forward for all samples, roughly. Throws as shapes() does.
  double flops(const char* op, const Samples<T>& samples) const {
    return shapes(op, samples)->flops * static_cast<double>(samples.count);
  }

  // outputs[k] [count][output k], the same bits for every batch size. Stops early where the tick
  // says so. masks[k] [count][rows of output k]: where to copy the mask of an output that has one;
  // null, or no masks: not wanted.
  void predict(const Samples<T>& samples, index batch_size, const std::vector<T*>& outputs,
               const Callbacks& callbacks = {},
               const std::vector<unsigned char*>& masks = {}) const;

  // Whether calls that are no training draw random numbers: some layer always does as in training.
  bool draws() const { return draws_; }
  void set_seed(std::uint64_t seed) { seed_ = seed; }
  // Gives such a pass numbers of its own.
  void draw(layers::Pass<T>& pass) const {
    if (!draws_) return;
    pass.seed = seed_;
    pass.step = drawn_.fetch_add(1, std::memory_order_relaxed);
  }

  // A model with the weights of this moment, which nobody changes any more. As long as these are
  // the same, all calls share one. Throws where another thread changes weights.
  std::shared_ptr<const Model> frozen(const char* op) const;

  bool is_stateful() const { return !definition_.carried.empty(); }
  // Rows of every batch of a stateful model, from its configuration; 0: as many as the first batch.
  index batch_size() const { return definition_.graph->batch_size(); }
  index carried_rows() const { return model::carried_rows(definition_.carried, batch_size()); }
  void reset_carried() const;

  // For BusyGroup: fit, train_on_batch and the copying part of save exclude each other, also
  // between models that share layers; with stateful layers all calls do.
  const std::vector<base::BusyFlag*>& busy() const { return busy_; }

 private:
  Definition<T> definition_;
  Shared<Training<T>> training_;
  const bool draws_;
  std::uint64_t seed_ = 0;
  mutable std::atomic<std::uint64_t> drawn_{0};
  mutable Pool<PassMemory<T>> pool_;
  mutable Pool<Stepper<T>> steppers_;
  // Of the latest call: to compute them in every call takes a tenth of a call on a small batch.
  mutable Shared<const PassShapes> shapes_;
  mutable std::weak_ptr<const Model> frozen_;  // the latest; read and set under frozen_lock_
  mutable base::BusyFlag frozen_lock_;
  mutable base::BusyFlag own_busy_;
  std::vector<base::BusyFlag*> busy_;  // own_busy_, and the flags of the layers
};

// Runs forward of one layer on its own. Allocates its parameters if they have no memory. `pass` has
// no arena; in and out are those of Layer::forward. Copies out[0].mask, if set, to `mask`. A
// stateful layer continues from its carried state, unless a state is given. A training pass updates
// statistics.
template <class T>
void call_layer(layers::Layer<T>& layer, layers::Pass<T> pass, const layers::Shapes& inputs,
                const std::vector<layers::In<T>>& in, std::vector<layers::Out<T>>& out,
                std::vector<unsigned char>& mask);

// Allocates the parameters in a layer that have no memory yet, in one block of zeros.
template <class T>
void allocate_parameters(layers::Layer<T>& layer);

}  // namespace lstmfast::model
