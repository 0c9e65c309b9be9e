#include "layers/layer.h"

#include "base/check.h"
#include "layers/list.h"

namespace lstmfast::layers {
namespace {

constexpr int kMaxDepth = 200;  // levels of keys: what walks through layers recurses

}  // namespace

const base::Registry<Layer, const Children&>& registry() {
  static const base::Registry<Layer, const Children&> layers("layer", {
#define LAYER(kind) {#kind, #kind, kind()},
#include "layers/layers.def"
#undef LAYER
                                                                      });
  return layers;
}

template <class T>
std::shared_ptr<Layer<T>> make_layer(const base::OptionReader& config, const Children& children) {
  if (config.depth() > kMaxDepth) config.fail("kind", "fewer layers inside each other");
  std::shared_ptr<Layer<T>> layer = registry().make<T>(config, children);
  layer->parameters().set_trainable(config.read(base::flag("trainable", true)).flag());
  config.read(base::text("name", ""));
  return layer;
}

template <class T>
std::shared_ptr<Layer<T>> child(const base::OptionReader& config, const std::string& name,
                                const Children& children) {
  const auto given = children.find(name);
  if (given == children.end()) return make_layer<T>(config.part(name));
  return std::static_pointer_cast<Layer<T>>(given->second);
}

template <class T>
void keep_configs(Layer<T>& top, const base::OptionReader& config) {
  for_each_layer(top, "", [&](const std::string& path, Layer<T>& layer) {
    if (!layer.config().empty()) return;
    base::Options own = (path.empty() ? config : config.part(path)).typed();
    own.erase("trainable");
    own.emplace("name", own.at("kind"));
    for (const auto& child : layer.children()) {
      const std::string prefix = child.name + ".";
      for (auto at = own.lower_bound(prefix); at != own.end();) {
        if (at->first.compare(0, prefix.size(), prefix) != 0) break;
        at = own.erase(at);
      }
    }
    layer.set_config(std::move(own));
  });
}

#define LF_INSTANTIATE(T)                                                                    \
  template std::shared_ptr<Layer<T>> make_layer(const base::OptionReader&, const Children&); \
  template std::shared_ptr<Layer<T>> child(const base::OptionReader&, const std::string&,    \
                                           const Children&);                                 \
  template void keep_configs(Layer<T>&, const base::OptionReader&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::layers
