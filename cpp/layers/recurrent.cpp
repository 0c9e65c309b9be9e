#include "layers/recurrent.h"

#include "layers/list.h"

namespace lstmfast::layers {
namespace {

template <class T>
struct Lstm final : Recurrent<T> {
  explicit Lstm(const base::Values& options)
      : Recurrent<T>("lstm", options, read_lstm(options, "use_bias", "dropout")) {}
};

template <class T>
struct Gru final : Recurrent<T> {
  explicit Gru(const base::Values& options) : Recurrent<T>("gru", options, read_gru(options)) {}
};

template <class T>
struct SimpleRnn final : Recurrent<T> {
  explicit SimpleRnn(const base::Values& options)
      : Recurrent<T>("simple_rnn", options, read_simple_rnn(options)) {}
};

}  // namespace

Component lstm() { return Family::of<Lstm>(lstm_layer_options()); }
Component gru() { return Family::of<Gru>(gru_layer_options()); }
Component simple_rnn() { return Family::of<SimpleRnn>(simple_rnn_layer_options()); }

}  // namespace lstmfast::layers
