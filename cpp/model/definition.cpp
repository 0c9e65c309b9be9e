#include "model/definition.h"

#include <algorithm>

#include "base/check.h"

namespace lstmfast::model {
namespace {

constexpr const char* kSubject = "model.config";

std::string read_dtype(const base::OptionReader& config) {
  return config.read(base::text("dtype", "float32", {"float32", "float64"})).text();
}

template <class T>
constexpr const char* kDtypeName = sizeof(T) == 4 ? "float32" : "float64";

// For a layer and those in it: sets the output penalties, checks the rules of weights, and sets the
// configurations.
template <class T>
void finish(layers::Layer<T>& top, const base::OptionReader& config) {
  WeightRules<T> checked;
  layers::for_each_layer(top, "", [&](const std::string& path, layers::Layer<T>& layer) {
    const base::OptionReader part = path.empty() ? config : config.part(path);
    if (auto penalty = read_output_penalty<T>(part)) layer.set_output_penalty(std::move(penalty));
    if (layer.built()) {
      checked.read(part, layer.parameters());
    } else {
      WeightRules<T>::check(part, layer.bias_rank());
    }
  });
  config.check_all_used();
  top.keep_configs(config);
}

}  // namespace

std::string dtype_name_of(const base::Options& config) {
  return read_dtype(base::OptionReader(config, kSubject));
}

template <class T>
void Parts<T>::add(layers::Layer<T>& top, const std::string& path) {
  layers::for_each_layer(top, path, [&](const std::string& at, layers::Layer<T>& layer) {
    layers::CarriedState<T>* const state = layer.carried();
    if (state != nullptr && std::find(carried.begin(), carried.end(), state) == carried.end()) {
      carried.push_back(state);
    }
    layers::Parameters<T>* const own = &layer.parameters();
    if (state != nullptr || !own->list().empty()) busy.push_back(&own->busy());
    const bool known = std::any_of(parameters.begin(), parameters.end(),
                                   [own](const auto& each) { return each.parameters == own; });
    if (!known && !own->list().empty()) parameters.push_back({at, top.name(), &layer, own});
  });
  base::sort_flags(busy);
}

template <class T>
Definition<T>::Definition(std::shared_ptr<layers::Graph<T>> given) : graph(std::move(given)) {
  for (const auto& top : graph->children()) this->add(*top.layer, top.name);
  for (const Owned<T>& each : this->parameters) {
    rules.read(base::OptionReader(each.owner->config(), kSubject), *each.parameters);
  }
  for (const auto& node : graph->nodes()) {
    const auto* const found = dynamic_cast<const layers::DecoderInput<T>*>(node.layer.get());
    if (found == nullptr || node.inputs[0] >= graph->inputs()) continue;
    decoder = found;
    targets = node.inputs[0];
  }
}

template <class T>
base::Options Definition<T>::config() const {
  base::Options out = graph->whole_config();
  out.erase("kind");
  out.erase("name");
  out["dtype"] = kDtypeName<T>;
  return out;
}

template <class T>
std::shared_ptr<layers::Layer<T>> open_layer(const base::Options& given,
                                             const layers::Children& children) {
  const base::OptionReader config(given, kSubject);
  auto layer = layers::Layer<T>::make(config, children);
  finish(*layer, config);
  return layer;
}

template <class T>
Definition<T> read_definition(const base::Options& given) {
  const base::OptionReader config(given, kSubject);
  if (read_dtype(config) != kDtypeName<T>) config.fail("dtype", kDtypeName<T>);
  auto graph = std::make_shared<layers::Graph<T>>(config);
  finish<T>(*graph, config);
  return Definition<T>(std::move(graph));
}

#define LF_INSTANTIATE(T)                                                         \
  template struct Parts<T>;                                                       \
  template struct Definition<T>;                                                  \
  template std::shared_ptr<layers::Layer<T>> open_layer(const base::Options&,     \
                                                        const layers::Children&); \
  template Definition<T> read_definition(const base::Options&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::model
