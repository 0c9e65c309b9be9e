#include "layers/layer.h"

#include "layers/list.h"

namespace lstmfast::layers {

const base::Registry<Layer>& registry() {
  static const base::Registry<Layer> layers("layer", {
#define LAYER(kind) {#kind, #kind, kind()},
#include "layers/layers.def"
#undef LAYER
                                                     });
  return layers;
}

}  // namespace lstmfast::layers
