#include "layers/options.h"

namespace lstmfast::layers {
namespace {

struct Named {
  Activation activation;
  const char* name;
};

constexpr Named kActivations[] = {
    {Activation::linear, "linear"},
    {Activation::relu, "relu"},
    {Activation::tanh, "tanh"},
    {Activation::sigmoid, "sigmoid"},
    {Activation::hard_sigmoid, "hard_sigmoid"},
    {Activation::leaky_relu, "leaky_relu"},
    {Activation::elu, "elu"},
    {Activation::softplus, "softplus"},
    {Activation::softsign, "softsign"},
    {Activation::exponential, "exponential"},
    {Activation::softmax, "softmax"},
};

}  // namespace

const char* activation_name(Activation activation) {
  for (const Named& item : kActivations) {
    if (item.activation == activation) return item.name;
  }
  return "?";
}

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const Named& item : kActivations) {
    if (item.activation != Activation::softmax) names.emplace_back(item.name);
  }
  return names;
}

Activation read_activation(const Config& config, const std::string& key, Activation fallback,
                           bool rows) {
  std::vector<std::string> names = activation_names();
  if (rows) names.emplace_back(activation_name(Activation::softmax));
  const std::string name = config.choice_or(key, names, activation_name(fallback));
  for (const Named& item : kActivations) {
    if (name == item.name) return item.activation;
  }
  return fallback;
}

CellOptions read_cell_options(const Config& config) {
  CellOptions options;
  options.activation = read_activation(config, "activation", options.activation, false);
  options.recurrent_activation =
      read_activation(config, "recurrent_activation", options.recurrent_activation, false);
  options.peephole = config.flag_or("peephole", options.peephole);
  options.coupled = config.flag_or("coupled", options.coupled);
  options.layer_norm = config.flag_or("layer_norm", options.layer_norm);
  return options;
}

}  // namespace lstmfast::layers
