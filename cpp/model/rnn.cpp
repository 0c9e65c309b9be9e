#include "model/rnn.h"

#include "base/check.h"
#include "layers/checks.h"
#include "model/runtime.h"

namespace lstmfast::model {

RnnOptions read_rnn_options(const base::Options& given, std::uint64_t seed) {
  const base::OptionReader reader(given, "LSTM");
  const base::Values options = reader.read(layers::rnn_options());
  reader.check_all_used();
  RnnOptions out;
  out.input = options["input_size"].integer();
  out.hidden = options["hidden_size"].integer();
  out.layers = options["num_layers"].integer();
  out.directions = options["bidirectional"].flag() ? 2 : 1;
  out.lstm = layers::read_lstm(options, "bias", "input_dropout");
  out.cell_states = options["return_cell_states"].flag();
  out.dropout = options["dropout"].number();
  out.seed = seed;
  return out;
}

template <class T>
Rnn<T>::Rnn(const RnnOptions& options)
    : options_(options), pool_([] { return std::make_unique<Memory>(); }) {
  require_isa();
  layers::Parameters<T> room;
  const index D = options.directions, parts = options.layers * D;
  for (index n = 0; n < parts; ++n) {
    const index inputs = n < D ? options.input : D * options.outputs();
    directions_.push_back({{inputs, options.hidden, options.lstm.cell}, options.lstm, n % D == 1});
    const ops::LstmShape<T>& shape = directions_.back().shape;
    blocks_.push_back(room.add_block(shape.size()));
    for (const ops::LstmPart& part : shape.parts()) {
      if (part.name == "bias" && !options.lstm.use_bias) continue;
      parameters_.push_back({n, {part.name, part.shape, part.layout, blocks_.back()}});
    }
  }
  base::with_memory(
      [&] {
        values_.resize(room.size());
        gradients_.resize(room.size());
      },
      [&] {
        return "[LSTM] out of memory: a block of weights for input_size=" +
               std::to_string(options.input) + ", hidden_size=" + std::to_string(options.hidden) +
               ", num_layers=" + std::to_string(options.layers);
      });
}

template <class T>
const typename Rnn<T>::Parameter& Rnn<T>::parameter(const char* op, index layer,
                                                    const std::string& name) const {
  std::string known;
  for (const Parameter& parameter : parameters_) {
    if (parameter.layer == layer && parameter.place.name == name) return parameter;
    if (parameter.layer == 0) known += (known.empty() ? "" : ", ") + parameter.place.name;
  }
  LF_FAIL("[" << op << "] there is no parameter " << name << " in layer " << layer
              << "; expected layer 0 to " << options_.layers * options_.directions - 1
              << " and one of " << known);
}

template <class T>
void Rnn<T>::get(const Parameter& parameter, T* logical) const {
  parameter.place.export_to(values_.data(), logical);
}

template <class T>
void Rnn<T>::set(const std::vector<Value>& values) {
  const base::Busy busy(busy_, "lstm.set");
  if (cache_ == Cache::filled) cache_ = Cache::outdated;
  ++weights_version_;
  for (const Value& each : values) {
    each.parameter->place.import_from(each.logical, values_.data());
  }
}

template <class T>
void Rnn<T>::get_gradient(const Parameter& parameter, T* logical) const {
  const base::Busy busy(busy_, "lstm.grads", base::Busy::Kind::nested);
  parameter.place.export_to(gradients_.data(), logical);
}

template <class T>
const ops::LstmCall<T>& Rnn<T>::trained_call(const char* op) const {
  LF_CHECK(cache_ != Cache::none,
           "[" << op << "] there is nothing to go back through; call with training=True first");
  LF_CHECK(cache_ == Cache::filled,
           "[" << op << "] the parameters were set after the call; call with training=True again");
  return call_;
}

template <class T>
double Rnn<T>::flops(index steps, index batch) const {
  double sum = 0;
  for (const layers::LstmDirection<T>& direction : directions_) {
    const ops::LstmShape<T>& shape = direction.shape;
    sum += shape.flops() + 20.0 * static_cast<double>(shape.gates * shape.hidden);
  }
  return sum * static_cast<double>(steps) * static_cast<double>(batch);
}

template class Rnn<float>;
template class Rnn<double>;

}  // namespace lstmfast::model
