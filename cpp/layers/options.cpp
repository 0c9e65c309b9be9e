#include "layers/options.h"

#include <limits>

#include "layers/layer.h"

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
    {"relu6", {Activation::relu6}},
    {"selu", {Activation::selu}},
    {"celu", {Activation::celu, 1}, 1},
    {"gelu", {Activation::gelu}},
    {"gelu_tanh", {Activation::gelu_tanh}},
    {"silu", {Activation::silu}},
    {"mish", {Activation::mish}},
    {"tanh_shrink", {Activation::tanh_shrink}},
    {"log_sigmoid", {Activation::log_sigmoid}},
    {"hard_silu", {Activation::hard_silu}},
    {"hard_tanh", {Activation::hard_tanh}},
    {"hard_shrink", {Activation::hard_shrink, 0.5}, 1},
    {"soft_shrink", {Activation::soft_shrink, 0.5}, 1},
    {"sparse_plus", {Activation::sparse_plus}},
    {"sparse_sigmoid", {Activation::sparse_sigmoid}},
    {"squareplus", {Activation::squareplus, 4}, 1},
    {"threshold", {Activation::threshold, 0, 0}, 2},
    {"thresholded_relu", {Activation::thresholded_relu, 1}, 1},
    {"affine", {Activation::affine, 1, 0}, 2},
    {"scaled_tanh", {Activation::scaled_tanh, 1, 1}, 2},
    {"softmax", {Activation::softmax}},
};

// What is no function otherwise, or has a slope that its value does not tell.
void check_alpha(const base::FlatConfig& config, const std::string& key,
                 const ActivationSpec& spec) {
  const bool shrink = spec.kind == Activation::hard_shrink || spec.kind == Activation::soft_shrink;
  if ((shrink || spec.kind == Activation::elu) && spec.alpha < 0) {
    config.fail(key, "an alpha of at least 0");
  }
  const bool divides = spec.kind == Activation::celu || spec.kind == Activation::squareplus;
  if (divides && !(spec.alpha > 0)) config.fail(key, "an alpha above 0");
}

}  // namespace

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const Named& item : kActivations) {
    if (item.defaults.kind != Activation::softmax) names.emplace_back(item.name);
  }
  return names;
}

ActivationSpec read_activation(const base::FlatConfig& config, const std::string& key,
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
    check_alpha(config, key, spec);
    return spec;
  }
  return fallback;
}

namespace {

// A bound of absolute values: a positive number; absent: none, as 0.
double read_clip(const base::FlatConfig& config, const char* key) {
  if (!config.has(key)) return 0;
  const double clip = config.number(key);
  if (!(clip > 0)) config.fail(key, "a number above 0");
  return clip;
}

CellOptions read_cell(const base::FlatConfig& config) {
  CellOptions o;
  o.activation = read_activation(config, "activation", o.activation, false);
  o.recurrent_activation =
      read_activation(config, "recurrent_activation", o.recurrent_activation, false);
  o.output_activation = read_activation(config, "output_activation", o.activation, false);
  o.peephole = config.flag_or("peephole", false);
  o.coupled = config.flag_or("coupled", false);
  o.layer_norm = config.flag_or("layer_norm", false);
  o.input_gate = config.flag_or("input_gate", true);
  o.forget_gate = config.flag_or("forget_gate", true);
  o.output_gate = config.flag_or("output_gate", true);
  if (o.coupled && !(o.input_gate && o.forget_gate)) {
    config.fail("coupled", "false with input_gate=false or forget_gate=false: it ties i to 1 - f");
  }
  o.preact_clip = read_clip(config, "preact_clip");
  o.cell_clip = read_clip(config, "cell_clip");
  o.proj_clip = read_clip(config, "proj_clip");
  o.projection = config.integer_or("proj_size", 0, 0, kMaxUnits);
  if (o.proj_clip > 0 && o.projection == 0) {
    config.fail("proj_clip", "none without proj_size: there is no projection to clip");
  }
  o.zoneout_h = config.number_or("zoneout_h", 0, 0, 1);
  o.zoneout_c = config.number_or("zoneout_c", 0, 0, 1);
  return o;
}

}  // namespace

LstmOptions read_lstm_options(const base::FlatConfig& config) {
  LstmOptions o;
  o.cell = read_cell(config);
  o.noise.input = config.number_or("dropout", 0, 0, 1);
  o.noise.recurrent = config.number_or("recurrent_dropout", 0, 0, 1);
  o.noise.recurrent_per_step =
      config.choice_or("recurrent_dropout_kind", {"sequence", "step"}, "sequence") == "step";
  o.noise.weight = config.number_or("weight_drop", 0, 0, 1);
  o.bptt_steps = config.integer_or("bptt_steps", 0, 0);
  const bool root = config.text_or("recompute_every", "") == "sqrt";
  o.recompute_every = root ? ops::kRootOfSteps : config.integer_or("recompute_every", 0, 0);
  o.use_bias = config.flag_or("use_bias", true);
  return o;
}

std::optional<std::uint64_t> read_seed(const base::FlatConfig& config) {
  if (!config.has("seed")) return std::nullopt;
  return static_cast<std::uint64_t>(config.integer("seed", 0, std::numeric_limits<index>::max()));
}

}  // namespace lstmfast::layers
