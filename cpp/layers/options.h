// Activations and cell options by the names users write. Knows no layers.
#pragma once

#include <string>
#include <vector>

#include "base/plain.h"
#include "layers/config.h"

namespace lstmfast::layers {

// All activations that act element by element, in the order of the enum; softmax is not among them.
std::vector<std::string> activation_names();

// The activation under `key`: "elu", "elu:0.5" or "hard_sigmoid:0.2:0.5", with the default where a
// number is left out. `rows`: softmax is allowed too.
ActivationSpec read_activation(const Config& config, const std::string& key,
                               const ActivationSpec& fallback, bool rows);

// activation, recurrent_activation, output_activation (absent: as activation), peephole, coupled,
// layer_norm.
CellOptions read_cell_options(const Config& config);

}  // namespace lstmfast::layers
