#include "model/training.h"

#include <algorithm>
#include <utility>

#include "ops/vector.h"

namespace lstmfast::model {
namespace {

template <class T>
layers::GradientLayout<T> trained_layout(const Definition<T>& definition) {
  layers::GradientLayout<T> out;
  for (const Owned<T>& each : definition.parameters) {
    if (each.parameters->trainable()) out.add(*each.parameters);
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
    std::fill_n(gradients.data() + entry.offset, entry.parameters->trained_size(), T(0));
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
        if (!parameter.trained) continue;
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
      ops::mix(entry.parameters->trained_size(), old, T(1) - old, entry.parameters->values(),
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

template class Training<float>;
template class Training<double>;

}  // namespace lstmfast::model
