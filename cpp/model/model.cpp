#include "model/model.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/denormals.h"
#include "model/runtime.h"

namespace lstmfast::model {

namespace {

// "lstm.kernel (1000000, 4000000)"
template <class T>
std::string largest_array(const Definition<T>& definition) {
  const std::vector<layers::Parameter>& all = definition.parameters();
  const auto largest = std::max_element(
      all.begin(), all.end(), [](const auto& a, const auto& b) { return a.count() < b.count(); });
  const auto layer = static_cast<std::size_t>(top_layer(*largest));
  return definition.layers[layer].name + "." + largest->name + " " +
         layers::Shape(largest->shape).text();
}

}  // namespace

template <class T>
Model<T>::Model(Definition<T> definition)
    : definition_(std::move(definition)),
      pool_([this] { return std::make_unique<PassMemory<T>>(definition_.chain); }),
      carried_(definition_.chain, definition_.batch_size) {
  require_isa();
  base::with_memory([&] { values_.resize(definition_.declaration.size()); },
                    [&] {
                      return "[model.weights] out of memory: a block of weights, with " +
                             largest_array(definition_) + ", the largest array,";
                    });
}

template <class T>
void Model<T>::compile(const base::Options& config, Custom<T> custom) {
  // made before the lease and dropped behind it: both may run code of the caller's
  std::shared_ptr<Training<T>> training = make_training(definition_, config, std::move(custom));
  const base::Busy busy(busy_, "model.compile", base::Busy::Kind::brief);
  training = training_.exchange(std::move(training));
}

template <class T>
layers::Shape Model<T>::output_shape(const char* op, const Samples<T>& samples) const {
  bool fits = samples.shape.fits(definition_.input);
  for (int i = 0; i < samples.shape.rank; ++i) fits = fits && samples.shape.sizes[i] > 0;
  LF_CHECK(fits, "[" << op << "] x has samples of shape " << samples.shape.text() << "; expected "
                     << definition_.input.text() << " to match the model's input");
  return definition_.chain.output_shape(samples.shape);
}

template <class T>
void Model<T>::predict(const Samples<T>& samples, index batch_size, T* out,
                       const Callbacks& callbacks) const {
  const char* const op = "model.predict";
  LF_CHECK(batch_size >= 1,
           "[" << op << "] batch_size is " << batch_size << "; expected at least 1");
  const layers::Shape output = output_shape(op, samples);
  const index step = std::max<index>(1, std::min(batch_size, samples.count));
  std::optional<base::Busy> busy;
  if (carried_.any()) busy.emplace(busy_, op, base::Busy::Kind::nested);
  const typename Carried<T>::Use carried(carried_, op, "x", samples.count, step);
  typename Pool<PassMemory<T>>::Lease memory(pool_);
  memory->plan({samples.shape, output, step});
  layers::Pass<T> pass;
  pass.values = values_.data();
  TickClock clock;
  std::vector<T> room;
  const index batches = (samples.count + step - 1) / step;
  for (index b = 0; b < batches; ++b) {
    typename Carried<T>::Undo undo(carried_, room);
    pass.batch = std::min(step, samples.count - b * step);
    pass.carried = carried.state();
    {
      const base::FlushDenormals flush;
      memory->forward(pass, samples.x + b * step * samples.shape.count(),
                      out + b * step * output.count());
    }
    undo.keep();
    if (callbacks.tick != nullptr && clock.due() &&
        callbacks.tick(callbacks.context, {0, b + 1, batches, {nullptr, nullptr, 0}})) {
      return;
    }
  }
}

template <class T>
layers::Shape Model<T>::layer_output_shape(const char* op, index layer,
                                           const layers::Shape& sample) const {
  const auto& layers = definition_.layers;
  const layers::Shape& input =
      layer == 0 ? definition_.input : layers[static_cast<std::size_t>(layer - 1)].output;
  // Weights know of features alone: on its own, a layer takes any number of steps.
  bool fits = sample.rank == input.rank && sample.features() == input.features();
  for (int i = 0; i < sample.rank; ++i) fits = fits && sample.sizes[i] > 0;
  LF_CHECK(fits, "[" << op << "] x has samples of shape " << sample.text() << "; expected "
                     << input.text() << " to match the layer's input, but for the number of steps");
  return definition_.chain.layer(layer).output_shape(sample);
}

template <class T>
void Model<T>::call_layer(index layer, layers::Pass<T> pass, const layers::Shape& sample,
                          const T* x, T* y, T* carried_out) const {
  const char* const op = "layer.call";
  const layers::Layer<T>& called = definition_.chain.layer(layer);
  if (!called.stateful() || pass.batch == 0) return run_layer(called, pass, sample, x, y);
  const base::Busy busy(busy_, op, base::Busy::Kind::nested);
  const typename Carried<T>::Use carried(carried_, op, "x", pass.batch, pass.batch);
  T* const own = carried_.of_layer(carried.state(), layer);
  const index count = carried_.of_layer(carried.state(), layer + 1) - own;
  // On a copy: a call that fails leaves what is carried as it was.
  const T* const begin = pass.carried != nullptr ? pass.carried : own;
  std::vector<T> state(begin, begin + count);
  if (pass.carried != nullptr) carried_out = pass.carried;
  pass.carried = state.data();
  run_layer(called, pass, sample, x, y);
  std::copy(state.begin(), state.end(), own);
  if (carried_out != nullptr) std::copy_n(own, count, carried_out);
}

template <class T>
void Model<T>::run_layer(const layers::Layer<T>& layer, layers::Pass<T>& pass,
                         const layers::Shape& sample, const T* x, T* y) const {
  if (pass.batch == 0) return;
  const std::unique_ptr<layers::LayerState> state = layer.make_state();
  base::Planner planner;
  layer.declare(*state, planner, {sample, pass.batch, pass.training});
  base::Arena arena(planner);
  pass.values = values_.data();
  pass.arena = &arena;
  const base::FlushDenormals flush;
  layer.forward(pass, *state, x, y);
}

template <class T>
void Model<T>::release_memory() {
  const base::Busy busy(busy_, "model.release_memory");
  pool_.clear();
  if (const std::shared_ptr<Training<T>> training = this->training()) training->memory.clear();
}

template <class T>
void Model<T>::reset_carried(index layer) const {
  const base::Busy busy(busy_, "model.reset_states", base::Busy::Kind::nested);
  if (layer < 0) {
    carried_.reset();
  } else {
    carried_.reset(layer);
  }
}

template class Model<float>;
template class Model<double>;

}  // namespace lstmfast::model
