#include "model/weight_rules.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/shape_text.h"

namespace lstmfast::model {
namespace {

// The prefixes of the keys of weights' rules.
constexpr const char* kRuled[] = {"kernel", "recurrent", "bias", "embeddings",
                                  "gamma",  "beta",      "alpha"};

// The prefix of a weight's rules; "": it takes none. A part before a dot does not count.
std::string rule_prefix(const std::string& name) {
  const std::string weight = name.substr(name.rfind('.') + 1);
  if (weight == "recurrent_kernel") return "recurrent";
  const bool ruled = std::any_of(std::begin(kRuled), std::end(kRuled),
                                 [&](const char* prefix) { return weight == prefix; });
  return ruled ? weight : "";
}

// The regularizer that the keys below `key` describe; null without a key .kind. Throws if it does
// not suit numbers of that shape.
template <class T>
std::unique_ptr<regularizers::Regularizer<T>> read_regularizer(const base::OptionReader& layer,
                                                               const std::string& key,
                                                               const std::vector<index>& shape) {
  const base::OptionReader part = layer.part(key);
  if (!part.has("kind")) return nullptr;
  auto out = regularizers::registry().make<T>(part);
  if (!out->suits(shape)) {
    part.fail("kind", shape.empty() ? "a penalty that outputs can have"
                                    : "a penalty that a weight of shape " +
                                          base::shape_text(shape) + " can have");
  }
  return out;
}

// The constraint of a weight of that many axes; null: none.
template <class T>
std::unique_ptr<constraints::Constraint<T>> read_constraint(const base::OptionReader& layer,
                                                            const std::string& prefix,
                                                            std::size_t rank) {
  const base::OptionReader part = layer.part(prefix + "_constraint");
  return part.has("kind") ? constraints::registry().make<T>(part, rank) : nullptr;
}

// `count` neighbouring numbers as one run.
ops::PartLayout one_run(index count) {
  return {1, count, 1, count, 0, 1, count, count, count, false};
}

// A regularizer's value for a batch, divided by the number of samples as in Keras.
template <class T>
class ActivityPenalty final : public layers::OutputPenalty<T> {
 public:
  explicit ActivityPenalty(std::unique_ptr<regularizers::Regularizer<T>> regularizer)
      : regularizer_(std::move(regularizer)) {}
  double value(index batch, index count, const T* y) const override {
    return regularizer_->value(one_run(batch * count), y) / static_cast<double>(batch);
  }
  void add_gradient(index batch, index count, const T* y, T* dy) const override {
    regularizer_->add_gradient(one_run(batch * count), y,
                               static_cast<T>(1.0 / static_cast<double>(batch)), dy);
  }

 private:
  std::unique_ptr<regularizers::Regularizer<T>> regularizer_;
};

}  // namespace

template <class T>
void WeightRules<T>::check(const base::OptionReader& layer, std::size_t bias_rank) {
  for (const std::string prefix : kRuled) {
    const base::OptionReader regularizer = layer.part(prefix + "_regularizer");
    if (regularizer.has("kind")) regularizers::registry().make<T>(regularizer);
    read_constraint<T>(layer, prefix, prefix == "bias" ? bias_rank : 2);
  }
}

template <class T>
void WeightRules<T>::read(const base::OptionReader& layer,
                          const layers::Parameters<T>& parameters) {
  for (const layers::Parameter& parameter : parameters.list()) {
    const std::string prefix = rule_prefix(parameter.name);
    if (prefix.empty()) continue;
    rules_.push_back({&parameters, parameter.layout, parameter.block,
                      read_regularizer<T>(layer, prefix + "_regularizer", parameter.shape),
                      read_constraint<T>(layer, prefix, parameter.shape.size())});
  }
}

template <class T>
std::shared_ptr<const layers::OutputPenalty<T>> read_output_penalty(
    const base::OptionReader& layer) {
  auto regularizer = read_regularizer<T>(layer, "activity_regularizer", {});
  if (regularizer == nullptr) return nullptr;
  return std::make_shared<ActivityPenalty<T>>(std::move(regularizer));
}

template std::shared_ptr<const layers::OutputPenalty<float>> read_output_penalty(
    const base::OptionReader&);
template std::shared_ptr<const layers::OutputPenalty<double>> read_output_penalty(
    const base::OptionReader&);
template class WeightRules<float>;
template class WeightRules<double>;

}  // namespace lstmfast::model
