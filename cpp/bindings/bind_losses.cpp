// A loss on its own: its value over a batch, or those of rows.
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "base/denormals.h"
#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/numpy.h"
#include "bindings/values.h"
#include "losses/loss.h"
#include "model/runtime.h"

namespace lstmfast::bindings {
namespace {

constexpr const char* kLossOp = "loss";

template <class T>
py::object run_loss(const std::string& kind, const base::Options& options, const py::object& y_true,
                    const py::object& y_pred, const py::object& weights, bool each) {
  const auto target = take_target<T>(kLossOp, "y_true", y_true);
  const auto prediction = take<T>(kLossOp, "y_pred", y_pred);
  const auto loss = losses::registry().make<T>(kind, options);
  const std::vector<index> shape = sizes_of(prediction);
  loss->check_shapes(shape, sizes_of(target));

  losses::LossBatch<T> batch;
  batch.prediction_shape = {shape[0], shape.data() + 1, static_cast<index>(shape.size()) - 1};
  batch.columns = shape.size() > 1 ? shape.back() : 1;
  batch.rows = batch.columns > 0 ? prediction.size() / batch.columns : 0;
  batch.prediction = prediction.data();
  batch.prediction_stride = batch.columns;
  batch.target = target.data();
  batch.target_stride = loss->target_columns(batch.columns);
  std::optional<py::array_t<T>> rows;
  if (!weights.is_none()) {
    rows = take<T>(kLossOp, "sample_weight", weights);
    LF_CHECK(rows->size() == batch.rows, "[" << kLossOp << "] sample_weight has " << rows->size()
                                             << " values; expected " << batch.rows
                                             << ", one for each row of y_pred");
    batch.weights = rows->data();
  }
  const double flops = 50.0 * static_cast<double>(prediction.size());
  if (!each) {
    double value = 0;
    may_release(flops, [&] {
      const base::FlushDenormals flush;
      value = loss->value(batch);
    });
    return py::float_(value);
  }
  std::vector<index> rows_shape(shape.begin(), shape.end() - (shape.size() > 1 ? 1 : 0));
  if (loss->of_samples()) rows_shape.resize(1);
  py::array_t<T> out = new_array<T>(rows_shape);
  T* const values = out.mutable_data();
  may_release(flops, [&] {
    const base::FlushDenormals flush;
    loss->values(batch, values);
  });
  return std::move(out);
}

py::object direct_loss(const std::string& kind, const base::Options& options,
                       const py::object& y_true, const py::object& y_pred,
                       const py::object& weights, bool each) {
  model::require_isa();
  return py::isinstance<py::array_t<double>>(y_pred)
             ? run_loss<double>(kind, options, y_true, y_pred, weights, each)
             : run_loss<float>(kind, options, y_true, y_pred, weights, each);
}

}  // namespace

void bind_losses(py::module_& module) {
  module.def("loss", &direct_loss, py::arg("kind"), py::arg("options"), py::arg("y_true"),
             py::arg("y_pred"), py::arg("sample_weight") = py::none(), py::arg("each") = false);
}

}  // namespace lstmfast::bindings
