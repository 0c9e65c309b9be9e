#include "model/weight_rules.h"

#include "base/shape_text.h"

namespace lstmfast::model {
namespace {

// What the keys of a weight begin with; "" where it takes no rules.
std::string rule_prefix(const std::string& weight) {
  if (weight == "recurrent_kernel") return "recurrent";
  return weight == "kernel" || weight == "bias" ? weight : "";
}

}  // namespace

template <class T>
std::unique_ptr<regularizers::Regularizer<T>> read_regularizer(const base::OptionReader& layer,
                                                               const std::string& key,
                                                               const std::vector<index>& shape) {
  const base::OptionReader part = layer.part(key);
  if (!part.has("kind")) return nullptr;
  auto out = regularizers::registry().make<T>(part);
  if (!out->suits(shape)) {
    part.fail("kind", shape.empty()
                          ? "a penalty that outputs can have"
                          : "a penalty that a weight of shape " +
                                base::shape_text(shape.data(), static_cast<index>(shape.size())) +
                                " can have");
  }
  return out;
}

template <class T>
void WeightRules<T>::read(const base::OptionReader& config,
                          const std::vector<layers::Parameter>& parameters) {
  for (const layers::Parameter& parameter : parameters) {
    const std::string prefix = rule_prefix(parameter.name);
    if (prefix.empty()) continue;
    const base::OptionReader layer = config.part(parameter.path);
    auto regularizer = read_regularizer<T>(layer, prefix + "_regularizer", parameter.shape);
    if (regularizer != nullptr)
      penalties_.push_back({parameter.layout, parameter.block, std::move(regularizer)});

    const base::OptionReader part = layer.part(prefix + "_constraint");
    if (!part.has("kind")) continue;
    constraints_.push_back({parameter.layout, parameter.block,
                            constraints::registry().make<T>(part, parameter.shape.size())});
  }
}

template std::unique_ptr<regularizers::Regularizer<float>> read_regularizer(
    const base::OptionReader&, const std::string&, const std::vector<index>&);
template std::unique_ptr<regularizers::Regularizer<double>> read_regularizer(
    const base::OptionReader&, const std::string&, const std::vector<index>&);
template class WeightRules<float>;
template class WeightRules<double>;

}  // namespace lstmfast::model
