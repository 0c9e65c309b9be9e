// Stacked LSTM layers (model/rnn.h) of either element type.
#pragma once

#include <cstdint>
#include <string>

#include "api/any.h"
#include "base/flat_config.h"
#include "model/rnn.h"

namespace lstmfast::api {

using AnyRnn = Any<model::Rnn>;

// As read_rnn_options(); `dtype`: "float32" or "float64".
AnyRnn make_rnn(index input_size, index hidden_size, index num_layers,
                const base::FlatConfig::Map& options, double dropout, const std::string& dtype,
                std::uint64_t seed);

}  // namespace lstmfast::api
