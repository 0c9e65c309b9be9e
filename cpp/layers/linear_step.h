// A prepared linear map with its activation, for the layers that end in one. Knows no layers.
#pragma once

#include <optional>

#include "layers/layer.h"
#include "ops/linear.h"
#include "ops/vector.h"

namespace lstmfast::layers {

// Adds y = activation(b + x W) to `calls`, x [rows][inputs], y [rows][outputs]; the activation acts
// on the columns from `activated` on. reduced: as in LinearShape::forward. Returns whether it did:
// not where threads share the product.
template <class T>
bool prepare_linear(StepCalls& calls, const ops::LinearShape<T>& shape, const T* block, index rows,
                    const T* x, T* y, const ActivationSpec& activation, index activated = 0,
                    const kernels::Reduced& reduced = {}) {
  const index outputs = shape.outputs;
  const std::optional<kernels::Gemm<T>> product =
      shape.product_alone(block, rows, {x, nullptr, shape.inputs}, {y, nullptr, outputs}, reduced);
  if (!product) return false;
  calls.emplace_back([g = *product] { ops::multiply(g); });
  if (activation.kind == Activation::linear) return true;
  calls.may_share = calls.may_share || rows * outputs > ops::kMathGrain;
  calls.emplace_back([=, from = y + activated] {
    ops::activate(activation, rows, outputs - activated, from, outputs, from, outputs);
  });
  return true;
}

}  // namespace lstmfast::layers
