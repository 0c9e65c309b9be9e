#include "model/model.h"

#include <algorithm>

#include "base/denormals.h"
#include "model/runtime.h"

namespace lstmfast::model {

template <class T>
Model<T>::Model(Definition<T> definition)
    : definition_(std::move(definition)),
      values_(definition_.declaration.size()),
      pool_([this] { return std::make_unique<PassMemory<T>>(definition_.chain); }) {
  require_isa();
}

template <class T>
void Model<T>::compile(const base::FlatConfig::Map& config, Custom<T> custom) {
  // made before the lease and dropped behind it: both may run code of the caller's
  std::shared_ptr<Training<T>> training = make_training(definition_, config, std::move(custom));
  const Busy busy(busy_, "model.compile", Busy::Kind::brief);
  training = std::atomic_exchange(&training_, std::move(training));
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
  typename Pool<PassMemory<T>>::Lease memory(pool_);
  memory->plan({samples.shape, output, step});
  layers::Pass<T> pass;
  pass.values = values_.data();
  TickClock clock;
  const index batches = (samples.count + step - 1) / step;
  for (index b = 0; b < batches; ++b) {
    pass.batch = std::min(step, samples.count - b * step);
    {
      const base::FlushDenormals flush;
      memory->forward(pass, samples.x + b * step * samples.shape.count(),
                      out + b * step * output.count());
    }
    if (callbacks.tick != nullptr && clock.due() &&
        callbacks.tick(callbacks.context, {0, b + 1, batches, {nullptr, nullptr, 0}})) {
      return;
    }
  }
}

template class Model<float>;
template class Model<double>;

}  // namespace lstmfast::model
