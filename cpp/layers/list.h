// Declarations of the functions that layers.def lists. Knows no particular layer.
#pragma once

#include <memory>

#include "layers/layer.h"
#include "layers/options.h"

namespace lstmfast::layers {

using Family = base::Registry<Layer, const Children&>;
using Component = Family::Component;

#define LAYER(kind) Component kind();
#include "layers/layers.def"
#undef LAYER

}  // namespace lstmfast::layers
