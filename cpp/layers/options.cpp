#include "layers/options.h"

namespace lstmfast::layers {
namespace {

struct Named {
  const char* name;
  ActivationSpec defaults;
  int parameters = 0;
};

constexpr Named kActivations[] = {
    {"linear", {Activation::linear}},
    {"relu", {Activation::relu}},
    {"tanh", {Activation::tanh}},
    {"sigmoid", {Activation::sigmoid}},
    {"hard_sigmoid", {Activation::hard_sigmoid, 1.0 / 6, 0.5}, 2},
    {"leaky_relu", {Activation::leaky_relu, 0.2}, 1},
    {"elu", {Activation::elu, 1}, 1},
    {"softplus", {Activation::softplus}},
    {"softsign", {Activation::softsign}},
    {"exponential", {Activation::exponential}},
    {"softmax", {Activation::softmax}},
};

}  // namespace

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const Named& item : kActivations) {
    if (item.defaults.kind != Activation::softmax) names.emplace_back(item.name);
  }
  return names;
}

ActivationSpec read_activation(const Config& config, const std::string& key,
                               const ActivationSpec& fallback, bool rows) {
  std::vector<std::string> names = activation_names();
  if (rows) names.emplace_back("softmax");
  std::vector<double> numbers;
  const std::string name = config.choice_with_numbers_or(key, names, "", &numbers);
  for (const Named& item : kActivations) {
    if (name != item.name) continue;
    if (numbers.size() > static_cast<std::size_t>(item.parameters)) {
      config.fail(key, "at most " + std::to_string(item.parameters) + " numbers behind the name");
    }
    ActivationSpec spec = item.defaults;
    if (!numbers.empty()) spec.alpha = numbers[0];
    if (numbers.size() > 1) spec.beta = numbers[1];
    if (spec.kind == Activation::elu && spec.alpha < 0) {
      config.fail(key, "an alpha of at least 0");
    }
    return spec;
  }
  return fallback;
}

CellOptions read_cell_options(const Config& config) {
  CellOptions options;
  options.activation = read_activation(config, "activation", options.activation, false);
  options.recurrent_activation =
      read_activation(config, "recurrent_activation", options.recurrent_activation, false);
  options.output_activation =
      read_activation(config, "output_activation", options.activation, false);
  options.peephole = config.flag_or("peephole", options.peephole);
  options.coupled = config.flag_or("coupled", options.coupled);
  options.layer_norm = config.flag_or("layer_norm", options.layer_norm);
  return options;
}

}  // namespace lstmfast::layers
