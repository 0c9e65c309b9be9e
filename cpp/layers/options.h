// Activations and cell options by their public names. Knows no layers.
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

// The names of all activations, in the order of the enum; softmax, which acts on rows, is the last.
std::vector<std::string> activation_names();
// The table of an activation's numbers, alpha and beta, as far as it has them; null for an unknown
// name.
const base::OptionTable* activation_options(const std::string& name);

// An option with values such as "elu", "elu:0.5" or "hard_sigmoid:0.2:0.5"; omitted numbers have
// their defaults. `rows`: softmax is allowed too.
base::Option activation_option(const char* name, base::Fallback fallback, bool rows = false);
// The activation of such a text.
ActivationSpec activation_of(const std::string& text);

// An axis of an array whose axis 0 is the batch; negative ones count from the end.
base::Option axis_option(const char* name, base::Fallback fallback);

// As axis_option, or several different axes; -1 among several is None.
base::Option axes_option(const char* name, base::Fallback fallback);

// The order of axes: where channels stand. None is channels_last.
base::Option data_format_option();
bool channels_first(const base::Values& options);

// The seed of a layer's random masks; absent: the pass's seed.
base::Option seed_option();
std::optional<std::uint64_t> read_seed(const base::Values& options);

// Of what training drops, from 0 to below 1.
base::Option rate_option(const char* name);

// The options of a recurrent layer apart from the cell's.
struct Sequences {
  bool all = false;  // y is h of every step, in the order of computation, not only of the last
  bool stateful = false;
  bool zero_masked = false;           // y of masked steps is 0; else that of the step before
  std::optional<std::uint64_t> seed;  // of random masks, instead of the pass's
};
// Their table, with use_bias and go_backwards.
base::OptionTable sequence_options();
Sequences read_sequences(const base::Values& options);

// The options that lf.LSTM and the recurrent layers share: those of the cell and of its training.
struct LstmOptions {
  CellOptions cell;
  ops::LstmNoise noise;  // rates alone
  index bptt_steps = 0, recompute_every = 0;
  bool use_bias = true;
};

// The tables of the layers, of lf.LSTM, and of the part of the latter that the functions of
// lf.functional take.
const base::OptionTable& lstm_layer_options();
const base::OptionTable& gru_layer_options();
const base::OptionTable& simple_rnn_layer_options();
const base::OptionTable& rnn_options();
const base::OptionTable& lstm_cell_options();
// `bias`, `dropout`: the names of the bias and of the dropout of x in the table.
LstmOptions read_lstm(const base::Values& options, const char* bias, const char* dropout);
LstmOptions read_gru(const base::Values& options);
LstmOptions read_simple_rnn(const base::Values& options);

}  // namespace lstmfast::layers
