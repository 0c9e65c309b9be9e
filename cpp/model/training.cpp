#include "model/training.h"

#include <cstdint>
#include <sstream>
#include <utility>

#include "model/number_options.h"

namespace lstmfast::model {
namespace {

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) {
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

constexpr char kCustom[] = "custom";
constexpr std::size_t kMaxMetrics = 1000;

template <class T>
std::unique_ptr<losses::Loss<T>> read_loss(const base::FlatConfig& config,
                                           losses::LossFunction<T> function) {
  const std::string name = config.text("loss");
  const base::FlatConfig part = config.part("loss");
  if (name != kCustom) {
    if (function) config.fail("loss", "\"custom\", for a function came with it");
    return losses::make_loss<T>(name, number_options(part));
  }
  if (!function) config.fail("loss", "a function with it");
  return losses::make_custom<T>(part.text_or("name", kCustom), std::move(function));
}

// Custom metrics are numbered as they come, so that each has one function and each is used.
template <class T>
std::vector<MetricChoice<T>> read_metrics(const base::FlatConfig& config,
                                          std::vector<metrics::CustomMetric<T>> functions) {
  const std::string prefix = std::string(kCustom) + ":";
  std::vector<MetricChoice<T>> out;
  std::size_t used = 0;
  bool fit = true;
  const std::vector<std::string> names = split_names(config.text_or("metrics", ""));
  if (names.size() > kMaxMetrics) {
    config.fail("metrics", "at most " + std::to_string(kMaxMetrics) + " names, not " +
                               std::to_string(names.size()));
  }
  for (const std::string& name : names) {
    out.push_back({name, nullptr});
    if (name.compare(0, prefix.size(), prefix) != 0) continue;
    fit &= used < functions.size() && name == prefix + std::to_string(used);
    if (fit) out.back().custom = std::move(functions[used++]);
  }
  if (!fit || used != functions.size()) {
    config.fail("metrics", std::to_string(functions.size()) +
                               " custom metrics, as many as came with it, \"custom:0\" first");
  }
  return out;
}

optim::ClipOptions read_clip(const base::FlatConfig& config) {
  optim::ClipOptions clip;
  clip.value = config.number_or("value", 0, 0);
  clip.norm = config.number_or("norm", 0, 0);
  clip.global_norm = config.number_or("global_norm", 0, 0);
  return clip;
}

}  // namespace

template <class T>
std::unique_ptr<Training<T>> make_training(const Definition<T>& definition,
                                           const base::FlatConfig::Map& map, Custom<T> custom) {
  const base::FlatConfig config(map, "model.compile");
  auto out = std::make_unique<Training<T>>(definition.chain);
  out->config = map;
  out->loss = read_loss<T>(config, std::move(custom.loss));
  const base::FlatConfig optimizer = config.part("optimizer");
  out->optimizer = optim::make_optimizer<T>(optimizer.text("kind"), number_options(optimizer));
  out->clip = optim::Clip<T>(read_clip(config.part("clip")));
  out->metrics = read_metrics<T>(config, std::move(custom.metrics));
  out->seed = static_cast<std::uint64_t>(
      config.integer_or("seed", 0, 0, std::numeric_limits<index>::max()));
  config.check_all_used();

  const index columns = definition.output.features();
  const index target_columns = out->loss->target_columns(columns);
  for (const MetricChoice<T>& metric : out->metrics) {
    // what no target is known for yet is checked for its name: one column suits every metric
    if (target_columns == losses::kAnyColumns) {
      metric.make(1, 1);
    } else {
      metric.make(columns, target_columns);
    }
  }
  // they would see masked steps without a word about them
  const bool masked = definition.chain.masks(false);
  if (masked && out->loss->foreign()) {
    config.fail("loss", "a built-in loss, for the output has a mask (of a Masking layer)");
  }
  for (const MetricChoice<T>& metric : out->metrics) {
    if (!masked || !metric.custom) continue;
    config.fail("metrics", "built-in metrics, for the output has a mask (of a Masking layer)");
  }
  out->last = definition.chain.last_activation();
  out->fused = out->loss->fuses(out->last);

  for (const layers::Parameter& parameter : definition.parameters()) {
    const ops::PartLayout& layout = parameter.layout;
    optim::ParameterRuns runs{parameter.block + layout.first, layout.panels, layout.panel_stride,
                              layout.rows * layout.row_stride};
    if (layout.tail_lanes > 0) {
      --runs.runs;
      runs.last_first = parameter.block + layout.tail_first;
      runs.last_length = layout.run_length(layout.panels - 1);
    }
    out->runs.push_back(runs);
  }
  const index size = definition.declaration.size();
  out->gradients.resize(size);
  out->slots.resize(size * out->optimizer->slots());
  for (int i = 0; i < out->optimizer->slots(); ++i) {
    out->slot_blocks.push_back(out->slots.data() + i * size);
  }
  return out;
}

template std::unique_ptr<Training<float>> make_training(const Definition<float>&,
                                                        const base::FlatConfig::Map&,
                                                        Custom<float>);
template std::unique_ptr<Training<double>> make_training(const Definition<double>&,
                                                         const base::FlatConfig::Map&,
                                                         Custom<double>);

}  // namespace lstmfast::model
