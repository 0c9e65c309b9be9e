#include "model/weight_rules.h"

#include "base/shape_text.h"
#include "model/number_options.h"

namespace lstmfast::model {
namespace {

// What the keys of a weight begin with; "" where it takes no rules.
std::string rule_prefix(const std::string& weight) {
  if (weight == "recurrent_kernel") return "recurrent";
  return weight == "kernel" || weight == "bias" ? weight : "";
}

constraints::NormOf read_axis(const base::FlatConfig& part, std::size_t rank) {
  using constraints::NormOf;
  if (rank == 1) {
    part.choice_or("axis", {"0", "-1"}, "0");
    return NormOf::row;  // a vector is a matrix of one row
  }
  const std::string axis = part.choice_or("axis", {"0", "1", "-2", "-1", "0,1"}, "0");
  if (axis == "0,1") return NormOf::whole;
  return axis == "0" || axis == "-2" ? NormOf::column : NormOf::row;
}

}  // namespace

template <class T>
std::unique_ptr<regularizers::Regularizer<T>> read_regularizer(const base::FlatConfig& layer,
                                                               const std::string& key,
                                                               const std::vector<index>& shape) {
  const base::FlatConfig part = layer.part(key);
  if (!part.has("kind")) return nullptr;
  const std::string kind = part.choice("kind", regularizers::regularizer_names());
  auto out = regularizers::make_regularizer<T>(kind, number_options(part));
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
void WeightRules<T>::read(const base::FlatConfig& config,
                          const std::vector<layers::Parameter>& parameters) {
  for (const layers::Parameter& parameter : parameters) {
    const std::string prefix = rule_prefix(parameter.name);
    if (prefix.empty()) continue;
    const base::FlatConfig layer = config.part(parameter.path);
    auto regularizer = read_regularizer<T>(layer, prefix + "_regularizer", parameter.shape);
    if (regularizer != nullptr)
      penalties_.push_back({parameter.layout, parameter.block, std::move(regularizer)});

    const base::FlatConfig part = layer.part(prefix + "_constraint");
    if (!part.has("kind")) continue;
    const std::string kind = part.choice("kind", constraints::constraint_names());
    const auto norm_of =
        kind == "non_neg" ? constraints::NormOf::whole : read_axis(part, parameter.shape.size());
    constraints_.push_back({parameter.layout, parameter.block,
                            constraints::make_constraint<T>(kind, number_options(part), norm_of)});
  }
}

template std::unique_ptr<regularizers::Regularizer<float>> read_regularizer(
    const base::FlatConfig&, const std::string&, const std::vector<index>&);
template std::unique_ptr<regularizers::Regularizer<double>> read_regularizer(
    const base::FlatConfig&, const std::string&, const std::vector<index>&);
template class WeightRules<float>;
template class WeightRules<double>;

}  // namespace lstmfast::model
