// Activations and cell options by the names users write. Knows no layers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/flat_config.h"
#include "base/plain.h"
#include "ops/lstm.h"

namespace lstmfast::layers {

// All activations that act element by element, in the order of the enum; softmax is not among them.
std::vector<std::string> activation_names();

// The activation under `key`: "elu", "elu:0.5" or "hard_sigmoid:0.2:0.5", with the default where a
// number is left out. `rows`: softmax is allowed too.
ActivationSpec read_activation(const base::FlatConfig& config, const std::string& key,
                               const ActivationSpec& fallback, bool rows);

// Everything that both lf.LSTM and the LSTM layer are told, the cell's options
// (output_activation absent: as activation), and what training adds.
struct LstmOptions {
  CellOptions cell;
  ops::LstmNoise noise;  // rates alone
  index bptt_steps = 0, recompute_every = 0;
  bool use_bias = true;
};
LstmOptions read_lstm_options(const base::FlatConfig& config);

// Of a layer's random masks, where it has its own.
std::optional<std::uint64_t> read_seed(const base::FlatConfig& config);

}  // namespace lstmfast::layers
