#include "model/training.h"

#include <cstdint>
#include <sstream>
#include <utility>

#include "layers/options.h"

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
std::unique_ptr<losses::Loss<T>> read_loss(const base::OptionReader& config,
                                           losses::LossFunction<T> function) {
  const std::string name = config.read(base::text("loss", base::kRequired)).text();
  const base::OptionReader part = config.part("loss");
  if (name != kCustom) {
    if (function) config.fail("loss", "\"custom\", for a function came with it");
    if (losses::registry().find(name) == nullptr) {
      config.fail("loss", base::one_of(losses::registry().kinds()));
    }
    return losses::registry().make<T>(name, part);
  }
  if (!function) config.fail("loss", "a function with it");
  return losses::make_custom<T>(part.read(base::text("name", kCustom)).text(), std::move(function));
}

// Custom metrics are numbered as they come, so that each has one function and each is used.
template <class T>
std::vector<MetricChoice<T>> read_metrics(const base::OptionReader& config,
                                          std::vector<metrics::CustomMetric<T>> functions) {
  const std::string prefix = std::string(kCustom) + ":";
  std::vector<MetricChoice<T>> out;
  std::size_t used = 0;
  bool fit = true;
  const std::vector<std::string> names = split_names(config.read(base::text("metrics", "")).text());
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

}  // namespace

template <class T>
std::unique_ptr<Training<T>> make_training(const Definition<T>& definition,
                                           const base::Options& given, Custom<T> custom) {
  const base::OptionReader config(given, "model.compile");
  auto out = std::make_unique<Training<T>>(definition.chain);
  out->loss = read_loss<T>(config, std::move(custom.loss));
  out->optimizer = optim::registry().make<T>(config.part("optimizer"));
  out->clip = optim::Clip<T>(optim::read_clip(config.part("clip")));
  out->metrics = read_metrics<T>(config, std::move(custom.metrics));
  const base::Value seed = config.read(layers::seed_option());
  if (!seed.none()) out->seed = static_cast<std::uint64_t>(seed.integer());
  config.check_all_used();
  out->config = config.typed();

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
                                                        const base::Options&, Custom<float>);
template std::unique_ptr<Training<double>> make_training(const Definition<double>&,
                                                         const base::Options&, Custom<double>);

}  // namespace lstmfast::model
