// Activations and cell options by the names users write. Knows no layers.
#pragma once

#include <string>
#include <vector>

#include "base/plain.h"
#include "layers/config.h"

namespace lstmfast::layers {

const char* activation_name(Activation activation);

// All activations that act element by element, in the order of the enum; softmax is not among them.
std::vector<std::string> activation_names();

// The activation under `key`. `rows`: softmax is allowed too.
Activation read_activation(const Config& config, const std::string& key, Activation fallback,
                           bool rows);

// activation, recurrent_activation, peephole, coupled, layer_norm.
CellOptions read_cell_options(const Config& config);

}  // namespace lstmfast::layers
