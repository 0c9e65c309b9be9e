#include "layers/decoder_input.h"

#include <algorithm>
#include <string>
#include <type_traits>

#include "base/rng.h"
#include "layers/list.h"

namespace lstmfast::layers {
namespace {

// The kind of random numbers that choose steps: unlike those of dropout and of cells.
constexpr std::uint32_t kSampling = 16;

std::optional<double> optional_number(const base::Value& value) {
  return value.none() ? std::nullopt : std::optional<double>(value.number());
}

index step_size(const Shape& shape) { return shape.count(1, shape.rank); }

}  // namespace

template <class T>
DecoderInput<T>::DecoderInput(const base::Values& options)
    : start_(options["start_token"].number()),
      stop_(optional_number(options["stop_token"])),
      padding_(optional_number(options["mask_value"])),
      rate_(options["sampling_rate"].number()),
      rate_steps_(options["sampling_steps"].integer()) {}

template <class T>
Elements DecoderInput<T>::input_elements(index, Elements wanted) const {
  const auto check = [&](const char* name, std::optional<double> id) {
    const bool known = !id || (*id >= 0 && *id < static_cast<double>(wanted.ids) &&
                               *id == static_cast<double>(static_cast<index>(*id)));
    LF_CHECK(wanted.ids == 0 || known, "[decoder_input] " << name << " is " << *id
                                                          << "; expected a token, from 0 to "
                                                          << wanted.ids - 1);
  };
  check("start_token", start_);
  check("stop_token", stop_);
  check("mask_value", padding_);
  return wanted;
}

template <class T>
Shapes DecoderInput<T>::output_shapes(const Shapes& inputs) const {
  check_input(inputs[0].rank >= 1 && inputs[0].rank <= 2, "decoder_input", inputs[0],
              "(steps,) of tokens or (steps, features)");
  return inputs;
}

template <class T>
void DecoderInput<T>::plan(State& my, base::Planner& planner, const Extent& extent) const {
  if (padding_) my.mask = planner.add<unsigned char>(extent.batch * my.shapes[0].sizes[0]);
}

template <class T>
template <class E>
bool DecoderInput<T>::is_padding(const E* step, index size) const {
  return padding_ &&
         std::all_of(step, step + size, [&](E v) { return v == static_cast<E>(*padding_); });
}

template <class T>
void DecoderInput<T>::run_forward(const Pass<T>& pass, State& my, const Ins<T>& in,
                                  Outs<T>& out) const {
  const index steps = my.shapes[0].sizes[0], size = step_size(my.shapes[0]);
  // of steps; where these are single values, rows are samples, which have no mask
  const bool steps_are_rows = in[0].ids != nullptr || my.shapes[0].rank == 2;
  unsigned char* const mask = steps_are_rows ? pass.arena->at(my.mask) : nullptr;
  if (mask != nullptr) out[0].mask = mask;
  const auto run = [&](const auto* x, auto* y) {
    using E = std::remove_reference_t<decltype(*y)>;
    for (index r = 0; mask != nullptr && r < pass.batch * steps; ++r) {
      mask[r] = !is_padding(x + r * size, size) && (in[0].mask == nullptr || in[0].mask[r] != 0);
    }
    for (index b = 0; y != nullptr && steps > 0 && b < pass.batch; ++b) {
      E* const row = y + b * steps * size;
      std::fill_n(row, size, static_cast<E>(start_));
      std::copy_n(x + b * steps * size, (steps - 1) * size, row + size);
    }
  };
  in[0].ids != nullptr ? run(in[0].ids, out[0].ids) : run(in[0].values, out[0].values);
  if (in[0].ids != nullptr && out[0].values != nullptr) run(in[0].values, out[0].values);
}

template <class T>
void DecoderInput<T>::run_backward(const Pass<T>& pass, State& my, const Ins<T>& in,
                                   const Outs<T>& out) const {
  const index steps = my.shapes[0].sizes[0], size = step_size(my.shapes[0]);
  if (in[0].gradient == nullptr || steps == 0) return;
  for (index b = 0; b < pass.batch; ++b) {
    const T* const dy = out[0].gradient + b * steps * size;
    T* const dx = in[0].gradient + b * steps * size;
    std::copy_n(dy + size, (steps - 1) * size, dx);
    std::fill_n(dx + (steps - 1) * size, size, T(0));
  }
}

template <class T>
double DecoderInput<T>::sampling_rate(std::uint64_t step) const {
  if (rate_steps_ == 0) return rate_;
  return rate_ * std::min(1.0, static_cast<double>(step) / static_cast<double>(rate_steps_));
}

template <class T>
void DecoderInput<T>::check_sampling(const char* op, const Shape& x, index ids,
                                     const Shape& outputs) const {
  const bool fits = ids > 0 ? outputs.features() <= ids : outputs.features() == x.features();
  LF_CHECK(fits && outputs.rows() == x.sizes[0],
           "[" << op << "] the outputs have shape " << outputs.text()
               << "; expected the decoder's inputs, " << x.text()
               << (ids > 0 ? ", each step the scores of " + std::to_string(ids) + " tokens" : "")
               << ", for sampling_rate");
}

template <class T>
void DecoderInput<T>::sample(const Pass<T>& pass, const Shape& shape, const In<T>& x,
                             const T* outputs, index columns, const Out<T>& mixed) const {
  const index steps = shape.sizes[0], size = step_size(shape);
  const double limit = sampling_rate(pass.step) * 4294967296.0;  // of 32 random bits
  const base::RandomStream stream(pass.seed, 0, kSampling, pass.step);
  // Calls replace(row, outputs of that row) for the chosen steps.
  const auto for_chosen = [&](const auto* values, const auto& replace) {
    for (index r = 0; r < pass.batch * steps; ++r) {
      const base::RandomStream own = stream.at(static_cast<std::uint32_t>(r / steps), 0);
      const bool chosen = own.bits(static_cast<std::uint64_t>(r % steps)) < limit;
      if (chosen && !is_padding(values + r * size, size)) replace(r, outputs + r * columns);
    }
  };
  if (mixed.ids != nullptr) {
    std::copy_n(x.ids, pass.batch * steps, mixed.ids);
    for_chosen(x.ids, [&](index r, const T* row) {
      std::int32_t best = -1;
      for (std::int32_t id = 0; id < static_cast<std::int32_t>(columns); ++id) {
        if (!is_padding(&id, 1) && (best < 0 || row[id] > row[best])) best = id;
      }
      if (best >= 0) mixed.ids[r] = best;
    });
    if (mixed.values != nullptr) std::copy_n(mixed.ids, pass.batch * steps, mixed.values);
  } else if (mixed.values != nullptr) {
    std::copy_n(x.values, pass.batch * steps * size, mixed.values);
    for_chosen(x.values, [&](index r, const T* row) {
      if (!is_padding(row, size)) std::copy_n(row, size, mixed.values + r * size);
    });
  }
}

template class DecoderInput<float>;
template class DecoderInput<double>;

Component decoder_input() {
  return Family::of<DecoderInput>(
      {{base::number("start_token", 0.0), base::integer("stop_token", base::none(), 0),
        base::number("mask_value", base::none()), base::integer("length", base::none(), 1),
        base::number("sampling_rate", 0.0, base::from_to(0, 1)),
        base::integer("sampling_steps", 0, 0)}});
}

}  // namespace lstmfast::layers
