// A model: its definition, the weights, and what compile() added. The trainer and the file work on
// it. Knows no Python.
#pragma once

#include <memory>
#include <string>

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
  // Weights are zero until they are set.
  explicit Model(Definition<T> definition);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const Definition<T>& definition() const { return definition_; }

  // The flat block of all parameters, laid out as definition().declaration says.
  T* values() { return values_.data(); }
  const T* values() const { return values_.data(); }
  index size() const { return values_.size(); }

  // As make_training(). Forgets the optimizer's state of an earlier compile.
  void compile(const base::Options& config, Custom<T> custom = {});
  bool compiled() const { return training() != nullptr; }
  // Null before compile(). Whoever holds it may go on with it beside a compile().
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

  // Shape of one output for samples of this shape; throws unless the model takes them.
  layers::Shape output_shape(const char* op, const Samples<T>& samples) const;

  // out [count][output], the same bits for every batch size. Stops early where the tick says so.
  void predict(const Samples<T>& samples, index batch_size, T* out,
               const Callbacks& callbacks = {}) const;

  // One layer on its own. `pass` without values and arena; a stateful layer that is given nothing
  // carried goes on from its own, and puts it into carried_out too, where that is given. In any
  // case it keeps what comes out. x [pass.batch][sample], y [pass.batch][layer_output_shape()].
  void call_layer(index layer, layers::Pass<T> pass, const layers::Shape& sample, const T* x, T* y,
                  T* carried_out = nullptr) const;
  layers::Shape layer_output_shape(const char* op, index layer, const layers::Shape& sample) const;

  Carried<T>& carried() const { return carried_; }
  void reset_carried(index layer) const;  // -1: of all layers

  // For Busy: fit, train_on_batch, compile and the copies of save exclude each other, and with
  // stateful layers all calls do.
  base::BusyFlag& busy() const { return busy_; }

 private:
  void run_layer(const layers::Layer<T>& layer, layers::Pass<T>& pass, const layers::Shape& sample,
                 const T* x, T* y) const;

  Definition<T> definition_;
  base::Buffer<T> values_;
  Shared<Training<T>> training_;
  mutable Pool<PassMemory<T>> pool_;
  mutable Carried<T> carried_;
  mutable base::BusyFlag busy_;
};

}  // namespace lstmfast::model
