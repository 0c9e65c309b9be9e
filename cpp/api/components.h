// The components of every family by family and kind: their tables of options, and checks of values
// by them. Knows no language.
#pragma once

#include <string>
#include <vector>

#include "base/options.h"

namespace lstmfast::api {

// "activation", "cell", "constraint", "layer", "loss", "metric", "optimizer", "regularizer",
// "rnn", the options of lf.LSTM, and "schedule".
std::vector<std::string> families();

// Of one family, without aliases. Throws std::invalid_argument for an unknown family, as do the
// others.
std::vector<std::string> kinds(const std::string& family);

// What a component of that kind or alias takes.
const base::OptionTable& options_of(const std::string& family, const std::string& kind);

// The values of all options, checked and normal; those of parts ("forward.units") are checked too.
// `where` heads errors. Throws std::invalid_argument, WrongType
// among them.
base::Options check(const std::string& family, const std::string& kind, base::Options values,
                    const std::string& where);

}  // namespace lstmfast::api
