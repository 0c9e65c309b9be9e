#include "layers/layer.h"

#include <algorithm>

#include "base/check.h"
#include "layers/list.h"

namespace lstmfast::layers {
namespace {

constexpr int kMaxDepth = 200;  // levels of keys: what walks through layers recurses

constexpr char kPrecision[] = "precision";

std::string to_text(const InputCount& expected) {
  const std::string least = std::to_string(expected.least);
  if (expected.most == expected.least) return least;
  if (expected.most == base::kMaxInteger) return least + " or more";
  return least + ", or " + std::to_string(expected.most) + expected.more;
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
  const index count = static_cast<index>(inputs.size());
  const InputCount expected = input_count();
  LF_CHECK(expected.most == base::kMaxInteger ? count >= expected.least
                                              : count == expected.least || count == expected.most,
           "[" << kind() << "] got " << count << " inputs; expected " << to_text(expected));
  const Shapes outputs = output_shapes(inputs);
  for (const Shape& shape : outputs) static_cast<void>(shape.count());
  if (!built_) declare_parameters(inputs);
  built_ = true;
  return outputs;
}

template <class T>
std::unique_ptr<LayerState> Layer<T>::make_state(const GradientLayout<T>* layout,
                                                 std::uint32_t& streams, bool fixed) const {
  std::unique_ptr<LayerState> state = new_state();
  state->fixed = fixed;
  for (const Layer* const layer : running()) {
    const bool own = !trains(state->inner.size()).value_or(!fixed);
    state->inner.push_back(layer->make_state(layout, streams, own));
  }
  if (layout != nullptr) state->gradients = layout->find(parameters_);
  if (is_random()) state->stream = streams++;
  return state;
}

template <class T>
Alongs Layer<T>::begin_steps(LayerState&, const Shapes& shapes, const Alongs& inputs,
                             std::vector<CarriedState<T>*>&) const {
  const index steps = std::count(inputs.begin(), inputs.end(), Along::steps);
  const bool latest = std::count(inputs.begin(), inputs.end(), Along::latest) > 0;
  const std::size_t outputs = output_shapes(shapes).size();
  if (steps == 0) return Alongs(outputs, latest ? Along::latest : Along::fixed);
  check_steps(steps == static_cast<index>(inputs.size()), "takes steps together with another value",
              "inputs that all have the steps");
  check_steps(keeps_steps(shapes), "needs all steps at once", "layers that need no later step");
  return Alongs(outputs, Along::steps);
}

template <class T>
void Layer<T>::check_steps(bool good, const char* problem, const char* expected) const {
  LF_CHECK(good, "[steps] layer \"" << name() << "\" (" << kind() << ") " << problem
                                    << ", and the model runs step by step; expected " << expected);
}

template <class T>
base::Options Layer<T>::whole_config() {
  base::Options out;
  for_each_layer(*this, "", [&](const std::string& path, Layer<T>& each) {
    const std::string prefix = path.empty() ? "" : path + ".";
    for (const auto& [key, value] : each.config()) out[prefix + key] = value;
    const bool frozen = !each.parameters().list().empty() && !each.parameters().trainable();
    if (frozen) out[prefix + "trainable"] = false;
    if (each.precision() != Precision::full) out[prefix + kPrecision] = name_of(each.precision());
  });
  return out;
}

template <class T>
std::shared_ptr<Layer<T>> Layer<T>::make(const base::OptionReader& config,
                                         const Children& children) {
  if (config.depth() > kMaxDepth) config.fail("kind", "fewer layers inside each other");
  std::shared_ptr<Layer<T>> layer = registry().template make<T>(config, children);
  if (layer->config().empty()) {
    layer->set_config({{"kind", config.read(base::text("kind", base::kRequired))}});
  }
  layer->parameters().set_trainable(config.read(base::flag("trainable", true)).flag());
  config.read(base::text("name", ""));
  const std::string precision =
      config.read(base::text(kPrecision, "float32", {"float32", "bfloat16", "int8"})).text();
  layer->precision_ = precision_of(precision);
  if (layer->precision_ != Precision::full && (sizeof(T) != sizeof(float) || !layer->reduces()))
    config.fail(kPrecision, "float32");
  return layer;
}

template <class T>
std::shared_ptr<Layer<T>> Layer<T>::make_child(const base::OptionReader& config,
                                               const std::string& name, const Children& given) {
  const auto found = given.find(name);
  if (found == given.end()) return make(config.part(name));
  return std::static_pointer_cast<Layer>(found->second);
}

template <class T>
void Layer<T>::keep_configs(const base::OptionReader& config) {
  for_each_layer(*this, "", [&](const std::string& path, Layer& layer) {
    if (layer.config().count("name") > 0) return;
    base::Options own;
    for (const auto& [key, value] : (path.empty() ? config : config.part(path)).typed()) {
      const bool inside = std::any_of(
          layer.children_.begin(), layer.children_.end(),
          [&key = key](const Child& child) { return key.rfind(child.name + ".", 0) == 0; });
      if (!inside && key != "trainable" && key != kPrecision) own.emplace(key, value);
    }
    own.emplace("name", own.at("kind"));
    layer.set_config(std::move(own));
  });
}

template class Layer<float>;
template class Layer<double>;

}  // namespace lstmfast::layers
