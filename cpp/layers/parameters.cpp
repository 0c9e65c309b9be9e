#include "layers/parameters.h"

#include <cmath>
#include <type_traits>

#include "base/check.h"

namespace lstmfast::layers {

template <class T>
void Parameters<T>::get_reduced(const Parameter& parameter, T* logical) const {
  if constexpr (std::is_same_v<T, float>) {
    parameter.reduced.widen(parameter.reduced.unpack(reduced() + parameter.block), logical);
  }
}

template <class T>
void Parameters<T>::reduce(const std::vector<std::vector<T>>& kernels) {
  if constexpr (std::is_same_v<T, float>) {
    std::vector<const Parameter*> parameters;
    for (const Parameter& each : list_) {
      if (each.reduced) parameters.push_back(&each);
    }
    std::vector<float> scales;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const ops::ReducedMatrix& matrix = parameters[i]->reduced;
      const auto floats = [&](std::size_t k) {
        return ops::Floats{parameters[k]->layout.rows, kernels[k].data()};
      };
      if (!parameters[i]->shares_scales) {
        std::vector<ops::Floats> sharing{floats(i)};
        for (std::size_t k = i + 1; k < parameters.size() && parameters[k]->shares_scales; ++k)
          sharing.push_back(floats(k));
        scales = ops::scales_of(sharing, matrix.layout.columns);
      }
      if (matrix.precision == Precision::int8) {
        for (const float each : kernels[i]) {
          LF_CHECK(std::isfinite(each), "[model.quantize] " << parameters[i]->name
                                                            << " has the value " << each
                                                            << "; expected finite numbers");
        }
      }
      matrix.pack(matrix.reduce(kernels[i].data(), scales), reduced() + parameters[i]->block);
    }
  }
}

template class Parameters<float>;
template class Parameters<double>;

}  // namespace lstmfast::layers
