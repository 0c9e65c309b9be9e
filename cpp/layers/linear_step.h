// A prepared linear map with its activation, for the layers that end in one. Knows no layers.
#pragma once

#include <optional>

#include "layers/layer.h"
#include "ops/linear.h"
#include "ops/vector.h"

namespace lstmfast::layers {

// Adds y = activation(product) to `calls`; the activation acts on the columns from `activated` on.
// Returns whether it did: not where there is no product, as threads share it.
template <class T>
bool prepare_linear(StepCalls& calls, const std::optional<kernels::Gemm<T>>& product,
                    const ActivationSpec& activation, index activated = 0) {
  if (!product) return false;
  const index rows = product->row1, outputs = product->columns;
  calls.add([g = *product, kernel = ops::product_kernel(*product)] { kernel(g); });
  if (activation.kind == Activation::linear) return true;
  calls.may_share = calls.may_share || rows * outputs > ops::kMathGrain;
  calls.add([=, y = product->c + activated] {
    ops::activate(activation, rows, outputs - activated, y, outputs, y, outputs);
  });
  return true;
}

}  // namespace lstmfast::layers
