// A model: its definition, the weights, and what compile() added. The trainer and the file work on
// it. Knows no Python.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/busy.h"
#include "base/check.h"
#include "model/callbacks.h"
#include "model/carried.h"
#include "model/data.h"
#include "model/definition.h"
#include "model/pass_memory.h"
#include "model/pool.h"
#include "model/shared.h"
#include "model/training.h"

namespace lstmfast::model {

// predict() is const and may run in any number of threads while nobody changes weights, unless
// layers are stateful.
template <class T>
class Model {
 public:
  // Weights that have no memory yet get it, next to each other, and are zero until they are set.
  explicit Model(Definition<T> definition);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const Definition<T>& definition() const { return definition_; }

  // As make_training(). Forgets the optimizer's state of an earlier compile.
  void compile(const base::Options& config, Custom<T> custom = {});
  // Null before compile(). Whoever holds it may go on with it during a later compile().
  std::shared_ptr<Training<T>> training() const { return training_.get(); }
  // `op` names the operation in the error of a model that was not compiled.
  std::shared_ptr<Training<T>> training(const char* op) const {
    std::shared_ptr<Training<T>> out = training();
    LF_CHECK(out, "[" << op << "] the model is not compiled; expected compile() before");
    return out;
  }

  Pool<PassMemory<T>>& pool() const { return pool_; }
  // Frees what calls keep for those to come.
  void release_memory();

  // The shapes of a call with these samples. Throws unless the model takes them.
  std::shared_ptr<const PassShapes> shapes(const char* op, const Samples<T>& samples) const;
  // Throws for ids out of range, naming the element.
  void check_ids(const char* op, const Samples<T>& samples) const;
  // Floating-point operations of forward for all samples, roughly; 0 for samples that the model
  // does not take.
  double flops(const Samples<T>& samples) const;

  // outputs[k] [count][output k], the same bits for every batch size. Stops early where the tick
  // says so.
  void predict(const Samples<T>& samples, index batch_size, const std::vector<T*>& outputs,
               const Callbacks& callbacks = {}) const;

  bool is_stateful() const { return !definition_.carried.empty(); }
  // Rows of every batch of a stateful model, as it was built with; 0: the first batch says.
  index batch_size() const { return definition_.graph->batch_size(); }
  index carried_rows() const { return model::carried_rows(definition_.carried, batch_size()); }
  void reset_carried() const;

  // For BusyGroup: fit, train_on_batch, and the copies of save exclude each other, also those of
  // other models with the same layers, and with stateful layers all calls do.
  const std::vector<base::BusyFlag*>& busy() const { return busy_; }

 private:
  // Whether inputs of these shapes are those of the model; else `wrong` is the first that is not.
  bool takes(const Samples<T>& samples, std::size_t* wrong) const;
  std::shared_ptr<const PassShapes> shapes_of(const Samples<T>& samples) const;

  Definition<T> definition_;
  Shared<Training<T>> training_;
  mutable Pool<PassMemory<T>> pool_;
  // Of the latest call: finding them out anew would cost a call on a small batch a tenth.
  mutable Shared<const PassShapes> shapes_;
  mutable base::BusyFlag own_busy_;
  std::vector<base::BusyFlag*> busy_;  // its own, and those of the layers
};

// One layer on its own, as the user's call of it. Gives its parameters memory, where they have
// none. `pass` without arena; in and out as Layer::forward takes them, out[0].mask copied into
// `mask` where the output has one. A stateful layer continues from what it carries, unless a state
// comes in.
template <class T>
void call_layer(layers::Layer<T>& layer, layers::Pass<T> pass, const layers::Shapes& inputs,
                const std::vector<layers::In<T>>& in, std::vector<layers::Out<T>>& out,
                std::vector<unsigned char>& mask);

// Gives all parameters in a layer that have none yet one memory, of zeros.
template <class T>
void allocate_parameters(layers::Layer<T>& layer);

}  // namespace lstmfast::model
