#include "model/training.h"

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <utility>

#include "layers/options.h"
#include "ops/vector.h"

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
    if (function) config.fail("loss", "\"custom\", for a function came with it");
    if (losses::registry().find(name) == nullptr) {
      config.fail("loss", base::one_of(losses::registry().kinds()));
    }
    return losses::registry().make<T>(name, part);
  }
  if (!function) config.fail("loss", "a function with it");
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
      metric.options = part.read(metrics::registry().at(name).component.options).all();
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
  out.loss = read_loss<T>(config, given ? std::move(custom.losses[place]) : nullptr);
  out.weight = config.read(base::number("loss_weight", 1.0)).number();
  out.metrics = read_metrics<T>(config, custom.metrics, used);
  const layers::Graph<T>& graph = *definition.graph;
  // custom functions take no weights, so masked steps would count
  out.masked = graph.masked_outputs()[place];
  if (out.masked && out.loss != nullptr && out.loss->foreign()) {
    config.fail("loss", "a built-in loss, for the output has a mask (of a Masking layer)");
  }
  const index columns = graph.output_shape(k).features();
  const index target_columns =
      out.loss == nullptr ? losses::kAnyColumns : out.loss->target_columns(columns);
  for (const MetricChoice<T>& metric : out.metrics) {
    if (target_columns != losses::kAnyColumns) metric.make(columns, target_columns);
    if (!out.masked || !metric.custom || metric.weighted) continue;
    config.fail("metrics", "built-in metrics, for the output has a mask (of a Masking layer)");
  }
  return out;
}

template <class T>
layers::GradientLayout<T> trained_layout(const Definition<T>& definition) {
  layers::GradientLayout<T> out;
  for (const Owned<T>& each : definition.parameters) {
    if (each.parameters->trainable()) out.add(*each.parameters);
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
Training<T>::Training(const Definition<T>& definition)
    : layout(trained_layout(definition)), memory([this, &definition] {
        return std::make_unique<PassMemory<T>>(*definition.graph, &layout);
      }) {}

template <class T>
void Training<T>::refresh(const char* op, const Definition<T>& definition) {
  const auto& entries = layout.entries();
  bool same = trained_.size() == entries.size();
  for (std::size_t i = 0; same && i < entries.size(); ++i) {
    same = (trained_[i] != 0) == entries[i].parameters->trainable();
  }
  if (entries.size() != definition.parameters.size()) {
    for (const Owned<T>& each : definition.parameters) {
      LF_CHECK(!each.parameters->trainable() || layout.find(*each.parameters) != nullptr,
               "[" << op << "] layer " << each.layer
                   << " is trainable, but was not when the model was compiled; expected compile() "
                      "after such a change");
    }
  }
  if (same) return;
  trained_.clear(), spans_.clear();
  for (const auto& entry : entries) {
    if (entry.touched != nullptr) entry.touched->add_all();  // also of a layer that was frozen
    trained_.push_back(entry.parameters->trainable() ? 1 : 0);
    if (trained_.back() != 0) add_spans(entry);
  }
}

template <class T>
bool Training<T>::decays(const layers::Parameter& parameter) const {
  return std::find(undecayed.begin(), undecayed.end(), &parameter) == undecayed.end();
}

template <class T>
void Training<T>::add_spans(const typename layers::GradientLayout<T>::Entry& entry) {
  const std::vector<layers::Parameter>& all = entry.parameters->list();
  const auto decays = [this](const layers::Parameter& each) { return this->decays(each); };
  Span whole = span_of(entry);
  whole.decays = std::any_of(all.begin(), all.end(), decays);
  if (!whole.decays || std::all_of(all.begin(), all.end(), decays)) return add_span(whole);
  // the runs of all parameters, which may alternate
  std::vector<Span> runs;
  for (const layers::Parameter& parameter : all) {
    for (index p = 0; p < parameter.layout.panels; ++p) {
      const index first = parameter.block + parameter.layout.place(p).first;
      runs.push_back({whole.values + first, whole.first + first, parameter.layout.run_length(p),
                      nullptr, decays(parameter)});
    }
  }
  std::sort(runs.begin(), runs.end(),
            [](const Span& a, const Span& b) { return a.first < b.first; });
  for (const Span& run : runs) add_span(run);
}

template <class T>
void Training<T>::add_span(const Span& span) {
  Span* const last = spans_.empty() ? nullptr : &spans_.back();
  const bool continues = last != nullptr && !last->touched && !span.touched &&
                         last->decays == span.decays && last->first + last->count == span.first &&
                         last->values + last->count == span.values;
  if (continues) {
    last->count += span.count;
  } else {
    spans_.push_back(span);
  }
}

template <class T>
void Training<T>::begin_gradients() {
  for (std::size_t i = 0; i < trained_.size(); ++i) {
    const auto& entry = layout.entries()[i];
    entry.stale = trained_[i] != 0 && entry.touched == nullptr;
    if (entry.touched == nullptr) continue;
    for_touched(span_of(entry), [this](index first, index count) {
      std::fill_n(gradients.data() + first, count, T(0));
    });
    entry.touched->clear();
  }
}

template <class T>
void Training<T>::end_gradients() {
  for (const auto& entry : layout.entries()) {
    if (!std::exchange(entry.stale, false)) continue;
    std::fill_n(gradients.data() + entry.offset, entry.parameters->size(), T(0));
  }
}

template <class T>
bool Training<T>::finish_gradients(bool check) {
  const bool updates = optimizer->makes_update();
  if (updates && optimizer->common().accumulation > 1) {
    const T share = T(1) / static_cast<T>(optimizer->common().accumulation);
    for (const Span& span : spans_) {
      if (span.touched != nullptr) span.touched->add_all();  // those of the batches before
      ops::mix(span.count, share, share, slot(optimizer->sum_slot()) + span.first,
               gradients.data() + span.first);
    }
  }
  const auto all = [&](auto f) { for_all_touched(f); };
  const auto parameters = [this](auto clip_one) {
    for (std::size_t i = 0; i < trained_.size(); ++i) {
      if (trained_[i] == 0) continue;
      const auto& entry = layout.entries()[i];
      if (entry.touched != nullptr) {
        clip_one([&](auto f) { for_touched(span_of(entry), f); });
        continue;
      }
      for (const layers::Parameter& parameter : entry.parameters->list()) {
        const ops::PartLayout& part = parameter.layout;
        const index first = entry.offset + parameter.block;
        clip_one([&](auto f) {
          for (index p = 0; p < part.panels; ++p)
            f(first + part.place(p).first, part.run_length(p));
        });
      }
    }
  };
  return optim::clip(updates ? clip : optim::ClipOptions{}, gradients.data(), check, all,
                     parameters);
}

template <class T>
void Training<T>::update(const Span& span, index first, index count) {
  T* at[optim::kMaxSlots];
  for (std::size_t i = 0; i < optimizer->slots().size(); ++i) at[i] = slot(i) + first;
  optimizer->update(count, span.values + (first - span.first), gradients.data() + first, at,
                    span.decays);
}

template <class T>
void Training<T>::step() {
  const bool sums = optimizer->common().accumulation > 1, updates = optimizer->makes_update();
  T* const sum = sums ? slot(optimizer->sum_slot()) : nullptr;
  for (const Span& span : spans_) {
    if (!updates) {
      for_touched(span, [&](index first, index count) {
        ops::add(count, gradients.data() + first, sum + first, sum + first);
      });
    } else if (optimizer->moves_without_gradient(span.decays)) {
      update(span, span.first, span.count);
    } else {
      for_touched(span, [&](index first, index count) { update(span, first, count); });
    }
  }
  if (updates && sums) std::fill_n(sum, layout.size(), T(0));
  if (optimizer->common().use_ema) {
    const T old = static_cast<T>(optimizer->average_momentum());
    for (const auto& entry : layout.entries()) {  // those that are frozen now, too
      ops::mix(entry.parameters->size(), old, T(1) - old, entry.parameters->values(),
               slot(optimizer->average_slot()) + entry.offset);
    }
    if (optimizer->overwrites_parameters()) take_average();
  }
  optimizer->end_step();
}

template <class T>
void Training<T>::take_average() {
  if (!optimizer->common().use_ema || optimizer->iterations() == 0) return;
  for (const Span& span : spans_) {
    std::copy_n(slot(optimizer->average_slot()) + span.first, span.count, span.values);
  }
}

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
  template class Training<T>;                                                                     \
  template std::unique_ptr<Training<T>> make_training(const Definition<T>&, const base::Options&, \
                                                      Custom<T>);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::model
