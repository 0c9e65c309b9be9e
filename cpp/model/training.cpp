#include "model/training.h"

#include <cstdint>
#include <functional>
#include <sstream>

#include "metrics/metric.h"

namespace lstmfast::model {
namespace {

// Options of losses and optimizers are numbers; switches among them are written as flags.
std::function<double(const char*, double)> options(const base::FlatConfig& config) {
  return [config](const char* key, double fallback) {
    const std::string text = config.text_or(key, "");
    if (text == "true" || text == "false") return config.flag(key) ? 1.0 : 0.0;
    return config.number_or(key, fallback);
  };
}

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) {
    if (!name.empty()) names.push_back(name);
  }
  return names;
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
                                           const base::FlatConfig::Map& map) {
  const base::FlatConfig config(map, "model.compile");
  auto out = std::make_unique<Training<T>>(definition.chain);
  out->config = map;
  out->loss = losses::make_loss<T>(config.text("loss"), options(config.part("loss")));
  const base::FlatConfig optimizer = config.part("optimizer");
  out->optimizer = optim::make_optimizer<T>(optimizer.text("kind"), options(optimizer));
  out->clip = optim::Clip<T>(read_clip(config.part("clip")));
  out->metrics = split_names(config.text_or("metrics", ""));
  out->seed = static_cast<std::uint64_t>(
      config.integer_or("seed", 0, 0, std::numeric_limits<index>::max()));
  config.check_all_used();

  const index columns = definition.output.features();
  for (const std::string& name : out->metrics) {
    metrics::make_metric<T>(name, columns, out->loss->target_columns(columns));
  }
  out->last = definition.chain.last_activation();
  out->fused = out->loss->fuses(out->last);

  for (const layers::Parameter& parameter : definition.parameters()) {
    const ops::PartLayout& layout = parameter.layout;
    out->runs.push_back(
        {parameter.block + layout.first, layout.panels, layout.panel_stride, layout.run_length()});
  }
  const index size = definition.declaration.size();
  out->gradients.resize(size);
  out->slots.resize(size * out->optimizer->slots());
  for (int i = 0; i < out->optimizer->slots(); ++i) {
    out->slot_blocks.push_back(out->slots.data() + i * size);
  }
  return out;
}

template std::unique_ptr<Training<float>> make_training(const Definition<float>& definition,
                                                        const base::FlatConfig::Map& config);
template std::unique_ptr<Training<double>> make_training(const Definition<double>& definition,
                                                         const base::FlatConfig::Map& config);

}  // namespace lstmfast::model
