// Initial weights that the core draws: matrices whose rows are orthonormal.
#include <cstdint>
#include <string>
#include <vector>

#include "api/any.h"
#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/numpy.h"
#include "model/runtime.h"
#include "ops/orthogonal.h"

namespace lstmfast::bindings {
namespace {

namespace py = pybind11;

py::array draw_rows(index rows, index columns, std::uint64_t seed, const std::string& dtype) {
  model::require_isa();
  return api::with_dtype("draw_orthonormal_rows", dtype, [&](auto zero) -> py::array {
    auto out = new_array<decltype(zero)>(std::vector<index>{rows, columns});
    auto* const values = out.mutable_data();
    may_release(2.0 * double(rows) * double(rows) * double(columns),
                [=] { ops::draw_orthonormal_rows(rows, columns, seed, values); });
    return out;
  });
}

}  // namespace

void bind_initializers(py::module_& module) {
  module.def("draw_orthonormal_rows", &draw_rows, py::arg("rows"), py::arg("columns"),
             py::arg("seed"), py::arg("dtype"));
}

}  // namespace lstmfast::bindings
