// class Metric: a metric that gathers without a model.
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/any.h"
#include "base/denormals.h"
#include "bindings/bindings.h"
#include "bindings/numpy.h"
#include "bindings/values.h"
#include "metrics/metric.h"

namespace lstmfast::bindings {
namespace {

struct PythonMetric : api::Any<metrics::Metric> {
  std::string where;  // heads errors

  template <class T>
  PythonMetric(std::shared_ptr<metrics::Metric<T>> metric, std::string where_)
      : api::Any<metrics::Metric>(std::move(metric)), where(std::move(where_)) {}
};

std::unique_ptr<PythonMetric> make_metric(const std::string& kind, const base::Options& options,
                                          const std::string& dtype, const std::string& where) {
  return api::with_dtype("metric", dtype, [&](auto of_type) {
    using T = decltype(of_type);
    const base::OptionReader given(options, where);
    return std::make_unique<PythonMetric>(
        std::shared_ptr<metrics::Metric<T>>(metrics::registry().make<T>(kind, given)), where);
  });
}

template <class T>
void update(metrics::Metric<T>& metric, const std::string& where, const py::object& prediction,
            const py::object& target, const py::object& weights) {
  const char* const op = where.c_str();
  const auto p = take<T>(op, "y_pred", prediction);
  const auto y = Taker{op}.optional<T>("y_true", target);
  const auto w = Taker{op}.optional<T>("sample_weight", weights);
  LF_CHECK(p.ndim() == 2 && (!y || (y.ndim() == 2 && y.shape(0) == p.shape(0))),
           "[" << op << "] y_pred has shape " << shape_of(p).text()
               << "; expected rows, as many as y_true has");
  metrics::MetricBatch<T> batch;
  batch.rows = p.shape(0);
  batch.columns = batch.prediction_stride = p.shape(1);
  batch.prediction = p.data();
  if (y) batch.target = y.data(), batch.target_stride = y.shape(1);
  metric.suit({where, batch.columns, y ? batch.target_stride : metrics::kNoTarget});
  if (w) {
    const bool of_elements = w.ndim() == 2 && metric.weighs_elements();
    check_shape(op, "sample_weight", w,
                of_elements ? layers::Shape{batch.rows, batch.columns} : layers::Shape{batch.rows});
    (of_elements ? batch.element_weights : batch.weights) = w.data();
  }
  if (batch.columns == 0) return;
  const base::FlushDenormals flush;
  metric.accumulate(batch);
}

template <class T>
py::object result(const metrics::Metric<T>& metric) {
  auto values = new_array<double>(std::vector<index>{metric.size()});
  metric.results(values.mutable_data());
  return metric.size() == 1 ? py::object(py::float_(*values.data())) : py::object(values);
}

}  // namespace

void bind_metrics(py::module_& module) {
  py::class_<PythonMetric>(module, "Metric", plain_type(), py::is_final())
      .def(py::init(&make_metric), py::arg("kind"), py::arg("options"), py::arg("dtype"),
           py::arg("where"))
      .def_property_readonly("dtype", &PythonMetric::dtype)
      .def(
          "update",
          [](const PythonMetric& self, const py::object& prediction, const py::object& target,
             const py::object& weights) {
            self.visit(
                [&](auto& metric) { update(metric, self.where, prediction, target, weights); });
          },
          py::arg("prediction"), py::arg("target"), py::arg("weights"))
      .def("result", [](const PythonMetric& self) {
        return self.visit([](auto& metric) { return result(metric); });
      });
}

}  // namespace lstmfast::bindings
