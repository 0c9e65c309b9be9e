// Every element-wise activation as a formula of double, and a list of all. Shares no code with the
// kernels.
#pragma once

#include <cmath>

#include "base/plain.h"

namespace lstmfast::test {

inline constexpr ActivationSpec kElementwise[] = {
    {Activation::linear},
    {Activation::relu},
    {Activation::tanh},
    {Activation::sigmoid},
    {Activation::hard_sigmoid, 1.0 / 6, 0.5},
    {Activation::leaky_relu, 0.2},
    {Activation::leaky_relu, -0.3},
    {Activation::elu, 0.7},
    {Activation::softplus},
    {Activation::softsign},
    {Activation::exponential},
    {Activation::relu6},
    {Activation::selu},
    {Activation::celu, 0.7},
    {Activation::gelu},
    {Activation::gelu_tanh},
    {Activation::silu},
    {Activation::mish},
    {Activation::tanh_shrink},
    {Activation::log_sigmoid},
    {Activation::hard_silu},
    {Activation::hard_tanh},
    {Activation::hard_shrink, 0.6},
    {Activation::soft_shrink, 0.6},
    {Activation::sparse_plus},
    {Activation::sparse_sigmoid},
    {Activation::squareplus, 3},
    {Activation::threshold, -0.3, 1.5},
    {Activation::thresholded_relu, 0.3},
    {Activation::affine, -1.5, 0.25},
    {Activation::scaled_tanh, 1.7, 0.6},
};

inline double scalar_activation(const ActivationSpec& a, double x) {
  const double softplus = std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
  const double hard_sigmoid = std::fmin(1, std::fmax(0, x / 6 + 0.5));
  switch (a.kind) {
    case Activation::relu:
      return x > 0 ? x : 0;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::hard_sigmoid:
      return std::fmin(1, std::fmax(0, a.alpha * x + a.beta));
    case Activation::leaky_relu:
      return x < 0 ? a.alpha * x : x;
    case Activation::elu:
      return x < 0 ? a.alpha * std::expm1(x) : x;
    case Activation::softplus:
      return softplus;
    case Activation::softsign:
      return x / (1 + std::fabs(x));
    case Activation::exponential:
      return std::exp(x);
    case Activation::relu6:
      return std::fmin(6, std::fmax(0, x));
    case Activation::selu:
      return 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * std::expm1(x) : x);
    case Activation::celu:
      return x < 0 ? a.alpha * std::expm1(x / a.alpha) : x;
    case Activation::gelu:
      return x * std::erfc(-x * std::sqrt(0.5)) / 2;
    case Activation::gelu_tanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::mish:
      return x * std::tanh(softplus);
    case Activation::tanh_shrink:
      return x - std::tanh(x);
    case Activation::log_sigmoid:
      return x - softplus;
    case Activation::hard_silu:
      return x * hard_sigmoid;
    case Activation::hard_tanh:
      return std::fmin(1, std::fmax(-1, x));
    case Activation::hard_shrink:
      return std::fabs(x) > a.alpha ? x : 0;
    case Activation::soft_shrink:
      return std::fabs(x) > a.alpha ? x - std::copysign(a.alpha, x) : 0;
    case Activation::sparse_plus:
      return x < -1 ? 0 : x < 1 ? (x + 1) * (x + 1) / 4 : x;
    case Activation::sparse_sigmoid:
      return std::fmin(1, std::fmax(0, (x + 1) / 2));
    case Activation::squareplus:
      return (x + std::sqrt(x * x + a.alpha)) / 2;
    case Activation::threshold:
    case Activation::thresholded_relu:
      return x > a.alpha ? x : a.beta;
    case Activation::affine:
      return a.alpha * x + a.beta;
    case Activation::scaled_tanh:
      return a.alpha * std::tanh(a.beta * x);
    case Activation::linear:
    case Activation::softmax:
      break;
  }
  return x;
}

}  // namespace lstmfast::test
