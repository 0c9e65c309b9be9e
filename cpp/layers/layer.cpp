#include "layers/layer.h"

#include "base/check.h"
#include "layers/list.h"

namespace lstmfast::layers {
namespace {

constexpr int kMaxDepth = 200;  // levels of keys: what walks through layers recurses

std::string expected_inputs(index least, index most, const std::string& more) {
  const std::string text = std::to_string(least);
  if (most == least) return text;
  return text + (most == base::kMaxInteger ? " or more" : ", or " + std::to_string(most) + more);
}

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
Shapes Layer<T>::connect(const Shapes& inputs) {
  const index count = static_cast<index>(inputs.size()), least = least_inputs(),
              most = most_inputs();
  LF_CHECK(most == base::kMaxInteger ? count >= least : count == least || count == most,
           "[" << kind() << "] got " << count << " inputs; expected "
               << expected_inputs(least, most, more_inputs()));
  std::vector<Layer*> fresh;  // of this one and those inside
  if (!built_) {
    for_each_layer(*this, "", [&](const std::string&, Layer& each) {
      if (!each.built_) fresh.push_back(&each);
    });
  }
  try {
    if (!built_) declare_parameters(inputs);
    built_ = true;
    const Shapes outputs = output_shapes(inputs);
    for (const Shape& shape : outputs) static_cast<void>(shape.count());
    return outputs;
  } catch (...) {
    for (Layer* const layer : fresh) {
      layer->parameters_.clear();
      layer->built_ = false;
    }
    throw;
  }
}

template <class T>
base::Options whole_config(Layer<T>& layer) {
  base::Options out;
  for_each_layer(layer, "", [&](const std::string& path, Layer<T>& each) {
    const std::string prefix = path.empty() ? "" : path + ".";
    for (const auto& [key, value] : each.config()) out[prefix + key] = value;
    const bool frozen = !each.parameters().list().empty() && !each.parameters().trainable();
    if (frozen) out[prefix + "trainable"] = false;
  });
  return out;
}

template <class T>
std::shared_ptr<Layer<T>> make_layer(const base::OptionReader& config, const Children& children) {
  if (config.depth() > kMaxDepth) config.fail("kind", "fewer layers inside each other");
  std::shared_ptr<Layer<T>> layer = registry().make<T>(config, children);
  if (layer->config().empty()) {
    layer->set_config({{"kind", config.read(base::text("kind", base::kRequired))}});
  }
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
    if (layer.config().count("name") > 0) return;
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
  template class Layer<T>;                                                                   \
  template base::Options whole_config(Layer<T>&);                                            \
  template std::shared_ptr<Layer<T>> make_layer(const base::OptionReader&, const Children&); \
  template std::shared_ptr<Layer<T>> child(const base::OptionReader&, const std::string&,    \
                                           const Children&);                                 \
  template void keep_configs(Layer<T>&, const base::OptionReader&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::layers
