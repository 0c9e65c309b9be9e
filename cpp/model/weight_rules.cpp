#include "model/weight_rules.h"

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
void WeightRules<T>::read(const base::FlatConfig& config,
                          const std::vector<layers::Parameter>& parameters) {
  for (const layers::Parameter& parameter : parameters) {
    const std::string prefix = rule_prefix(parameter.name);
    if (prefix.empty()) continue;
    const base::FlatConfig layer = config.part(parameter.path);
    const base::FlatConfig part = layer.part(prefix + "_constraint");
    if (!part.has("kind")) continue;
    const std::string kind = part.choice("kind", constraints::constraint_names());
    const auto number = [&](const char* key, double fallback) {
      return part.number_or(key, fallback);
    };
    const bool has_norm = kind != "non_neg";
    constraints_.push_back(
        {parameter.layout, parameter.block,
         constraints::make_constraint<T>(
             kind, number,
             has_norm ? read_axis(part, parameter.shape.size()) : constraints::NormOf::whole)});
  }
}

template class WeightRules<float>;
template class WeightRules<double>;

}  // namespace lstmfast::model
