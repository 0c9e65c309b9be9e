// Initial weights that the core draws: matrices whose rows are orthonormal.
#include <cstdint>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/numpy.h"
#include "model/runtime.h"
#include "ops/orthogonal.h"

namespace lstmfast::bindings {
namespace {

namespace py = pybind11;

template <class T>
py::array draw_rows(index rows, index columns, std::uint64_t seed) {
  py::array_t<T> out = new_array<T>(std::vector<index>{rows, columns});
  T* const values = out.mutable_data();
  const MaybeRelease release(2.0 * double(rows) * double(rows) * double(columns));
  ops::draw_orthonormal_rows(rows, columns, seed, values);
  return out;
}

}  // namespace

void bind_initializers(py::module_& module) {
  module.def(
      "draw_orthonormal_rows",
      [](index rows, index columns, std::uint64_t seed, bool double_precision) {
        model::require_isa();
        return double_precision ? draw_rows<double>(rows, columns, seed)
                                : draw_rows<float>(rows, columns, seed);
      },
      py::arg("rows"), py::arg("columns"), py::arg("seed"), py::arg("double_precision"));
}

}  // namespace lstmfast::bindings
