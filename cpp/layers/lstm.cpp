#include "layers/lstm.h"

#include "layers/list.h"

namespace lstmfast::layers {

Component lstm() { return Family::of<Lstm>(lstm_layer_options()); }

}  // namespace lstmfast::layers
