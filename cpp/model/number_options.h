// A part of the configuration as the makers of losses, optimizers and rules read it: numbers by
// key.
#pragma once

#include <functional>
#include <string>

#include "base/flat_config.h"

namespace lstmfast::model {

// The number under a key, or the fallback where there is none; switches among them are written as
// flags, and are 0 or 1.
inline std::function<double(const char*, double)> number_options(const base::FlatConfig& config) {
  return [config](const char* key, double fallback) {
    const std::string text = config.text_or(key, "");
    if (text == "true" || text == "false") return config.flag(key) ? 1.0 : 0.0;
    return config.number_or(key, fallback);
  };
}

}  // namespace lstmfast::model
