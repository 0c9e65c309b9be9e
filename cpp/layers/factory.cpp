#include "layers/layer.h"

namespace lstmfast::layers {

#define LAYER(kind)  \
  template <class T> \
  std::unique_ptr<Layer<T>> make_##kind(const base::FlatConfig& config);
#include "layers/layers.def"
#undef LAYER

template <class T>
std::unique_ptr<Layer<T>> make_layer(const base::FlatConfig& config) {
  const std::vector<std::string> kinds = {
#define LAYER(kind) #kind,
#include "layers/layers.def"
#undef LAYER
  };
  const std::string wanted = config.choice("kind", kinds);
#define LAYER(kind) \
  if (wanted == #kind) return make_##kind<T>(config);
#include "layers/layers.def"
#undef LAYER
  return nullptr;
}

template std::unique_ptr<Layer<float>> make_layer(const base::FlatConfig& config);
template std::unique_ptr<Layer<double>> make_layer(const base::FlatConfig& config);

}  // namespace lstmfast::layers
