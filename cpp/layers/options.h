// Activations and cell options by the names users write. Knows no layers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/options.h"
#include "base/plain.h"
#include "layers/checks.h"
#include "ops/lstm.h"

namespace lstmfast::layers {

// All activations, in the order of the enum; softmax, which acts on rows, is the last.
std::vector<std::string> activation_names();
// The numbers alpha and beta of an activation, as far as it has them; null where there is none of
// that name.
const base::OptionTable* activation_options(const std::string& name);

// An option that takes "elu", "elu:0.5" or "hard_sigmoid:0.2:0.5", with the default where a number
// is left out. `rows`: softmax is allowed too.
base::Option activation_option(const char* name, base::Fallback fallback, bool rows = false);
// The activation of such a text.
ActivationSpec activation_of(const std::string& text);

// An axis of an array whose axis 0 is the batch; negative ones count from the end.
base::Option axis_option(const char* name, base::Fallback fallback);

// Of a layer's random masks, where it has its own.
base::Option seed_option();
std::optional<std::uint64_t> read_seed(const base::Values& options);

// What both lf.LSTM and the LSTM layer take: the cell's options, and what training adds.
struct LstmOptions {
  CellOptions cell;
  ops::LstmNoise noise;  // rates alone
  index bptt_steps = 0, recompute_every = 0;
  bool use_bias = true;
};

// Of the layer; of lf.LSTM; and the part of the latter that the functions of one layer take.
const base::OptionTable& lstm_layer_options();
const base::OptionTable& lstm_engine_options();
const base::OptionTable& lstm_cell_options();
LstmOptions read_lstm_layer(const base::Values& options);
LstmOptions read_lstm_engine(const base::Values& options);

}  // namespace lstmfast::layers
