// Stacked LSTM layers (model/rnn.h) of either element type.
#pragma once

#include <cstdint>
#include <string>

#include "api/any.h"
#include "model/rnn.h"

namespace lstmfast::api {

using AnyRnn = Any<model::Rnn>;

// As read_rnn_options(); `dtype`: "float32" or "float64".
AnyRnn make_rnn(const base::Options& options, const std::string& dtype, std::uint64_t seed);

}  // namespace lstmfast::api
