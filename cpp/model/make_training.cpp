// From the options of compile to a Training.
#include <algorithm>
#include <cstdint>
#include <string>

#include "layers/options.h"
#include "model/training.h"

namespace lstmfast::model {
namespace {

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;  // without a stream, which keeps quiet where memory is short
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = std::min(text.find(',', begin), text.size());
    if (end > begin) names.push_back(text.substr(begin, end - begin));
  }
  return names;
}

constexpr char kCustom[] = "custom";
constexpr std::size_t kMaxMetrics = 1000;

[[noreturn]] void fail_custom_metrics(const base::OptionReader& config, std::size_t functions) {
  config.fail("metrics", std::to_string(functions) +
                             " custom metrics, as many as came with it, \"custom:0\" first");
}

// Null if the output has no loss.
template <class T>
std::unique_ptr<losses::Loss<T>> read_loss(const base::OptionReader& config,
                                           losses::LossFunction<T> function) {
  if (!config.has("loss")) return nullptr;
  const std::string name = config.read(base::text("loss", base::kRequired)).text();
  const base::OptionReader part = config.part("loss");
  if (name != kCustom) {
    if (function.value) config.fail("loss", "\"custom\", for a function came with it");
    if (losses::registry().find(name) == nullptr) {
      config.fail("loss", base::one_of(losses::registry().kinds()));
    }
    if (part.read(base::text("reduction", "")).text() == losses::kNoReduction) {
      part.fail("reduction", "a reduction to one value, which training needs");
    }
    return losses::registry().make<T>(name, part);
  }
  if (!function.value) config.fail("loss", "a function with it");
  return std::make_unique<losses::FunctionLoss<T>>(part.read(base::text("name", kCustom)).text(),
                                                   std::move(function));
}

// Custom metrics must be numbered in order, so that each has one function and each function is
// used. `used` counts them through all outputs.
template <class T>
std::vector<MetricChoice<T>> read_metrics(const base::OptionReader& config,
                                          std::vector<metrics::CustomMetric<T>>& functions,
                                          std::size_t& used) {
  const std::string prefix = std::string(kCustom) + ":";
  std::vector<MetricChoice<T>> out;
  const std::vector<std::string> names = split_names(config.read(base::text("metrics", "")).text());
  if (names.size() > kMaxMetrics) {
    config.fail("metrics", "at most " + std::to_string(kMaxMetrics) + " names, not " +
                               std::to_string(names.size()));
  }
  for (const std::string& name : names) {
    const base::OptionReader part = config.part("metrics." + std::to_string(out.size()));
    MetricChoice<T>& metric = out.emplace_back();
    metric.name = name;
    metric.weighted = part.read(base::flag("weighted", false)).flag();
    if (name.compare(0, prefix.size(), prefix) != 0) {
      metric.of_core = metrics::registry().make<T>(name, part);
      continue;
    }
    if (used >= functions.size() || name != prefix + std::to_string(used)) {
      fail_custom_metrics(config, functions.size());
    }
    metric.custom = std::move(functions[used++]);
  }
  return out;
}

template <class T>
OutputTraining<T> read_output(const base::OptionReader& config, const Definition<T>& definition,
                              index k, Custom<T>& custom, std::size_t& used) {
  const auto place = static_cast<std::size_t>(k);
  OutputTraining<T> out;
  const bool given = place < custom.losses.size();
  out.loss =
      read_loss<T>(config, given ? std::move(custom.losses[place]) : losses::LossFunction<T>());
  out.weight = config.read(base::number("loss_weight", 1.0)).number();
  out.metrics = read_metrics<T>(config, custom.metrics, used);
  const layers::Graph<T>& graph = *definition.graph;
  out.masked = graph.masked_outputs()[place];
  const index columns = graph.output_shape(k).features();
  const index target_columns =
      out.loss == nullptr ? losses::kAnyColumns : out.loss->target_columns(columns);
  for (const MetricChoice<T>& metric : out.metrics) {
    if (target_columns != losses::kAnyColumns) metric.make(columns, target_columns);
    // custom metrics take no weights, so masked steps would count
    if (!out.masked || !metric.custom || metric.weighted) continue;
    config.fail("metrics", "built-in metrics, for the output has a mask (of a Masking layer)");
  }
  return out;
}

// The parameters that `config` numbers.
template <class T>
std::vector<const layers::Parameter*> read_undecayed(const Definition<T>& definition,
                                                     const base::OptionReader& config) {
  const base::Option option = base::extents("exclude_from_weight_decay", base::Extents{}, 0);
  std::vector<const layers::Parameter*> all, out;
  for (const Owned<T>& each : definition.parameters) {
    for (const layers::Parameter& parameter : each.parameters->list()) all.push_back(&parameter);
  }
  const base::Value given = config.read(option);
  for (const index number : given.extents()) {
    if (number < 0 || number >= static_cast<index>(all.size())) {
      config.fail(option.name, "numbers of weights, below " + std::to_string(all.size()));
    }
    out.push_back(all[static_cast<std::size_t>(number)]);
  }
  return out;
}

}  // namespace

template <class T>
std::unique_ptr<Training<T>> make_training(const Definition<T>& definition,
                                           const base::Options& given, Custom<T> custom) {
  const base::OptionReader config(given, "model.compile");
  auto out = std::make_unique<Training<T>>(definition);
  const index outputs = definition.graph->outputs();
  std::size_t used = 0;
  bool any = false;
  for (index k = 0; k < outputs; ++k) {
    const base::OptionReader part =
        outputs == 1 ? config : config.part("outputs." + std::to_string(k));
    out->outputs.push_back(read_output(part, definition, k, custom, used));
    const losses::Loss<T>* const loss = out->outputs.back().loss.get();
    const bool fused = loss != nullptr && loss->fuses(definition.graph->last_activation(k));
    out->fused.push_back(fused ? 1 : 0);
    any |= loss != nullptr;
  }
  if (used != custom.metrics.size()) fail_custom_metrics(config, custom.metrics.size());
  if (!any) config.fail("loss", "a loss");
  const base::OptionReader optimizer = config.part("optimizer");
  out->optimizer = optim::registry().make<T>(optimizer);
  const base::OptionReader schedule = optimizer.part("schedule");
  if (schedule.has("kind")) {
    out->optimizer->set_schedule(optim::make_schedule(schedule, custom.schedule));
  }
  out->undecayed = read_undecayed(definition, optimizer);
  out->clip = optim::read_clip(config.part("clip"));
  const base::Value seed = config.read(layers::seed_option());
  if (!seed.none()) out->seed = static_cast<std::uint64_t>(seed.integer());
  config.check_all_used();
  out->config = config.typed();
  out->gradients.resize(out->layout.size());
  const optim::Slots& slots = out->optimizer->slots();
  out->slots.resize(out->layout.size() * static_cast<index>(slots.size()));
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].initial == 0) continue;
    std::fill_n(out->slot(i), out->layout.size(), static_cast<T>(slots[i].initial));
  }
  return out;
}

#define LF_INSTANTIATE(T)                                                                         \
  template std::unique_ptr<Training<T>> make_training(const Definition<T>&, const base::Options&, \
                                                      Custom<T>);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::model
