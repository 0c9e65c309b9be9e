#include "bindings/python_loss.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "bindings/gil.h"
#include "bindings/numpy.h"
#include "bindings/python_layer.h"
#include "model/loss_graph.h"
#include "model/shared.h"

namespace lstmfast::bindings {
namespace {

// The gradient as an array, converted as the Python package converts arguments.
py::array gradient_array(const std::string& name, py::handle value) {
  const auto& numpy = py::detail::npy_api::get();
  if (reinterpret_cast<PyObject*>(Py_TYPE(value.ptr())) ==
      reinterpret_cast<PyObject*>(numpy.PyArray_Type_)) {
    return py::reinterpret_borrow<py::array>(value);
  }
  const py::object arrays =
      result_until_exit([] { return PyImport_ImportModule("lstmfast._arrays"); });
  return py::reinterpret_borrow<py::array>(
      call_method(arrays, "as_array", value, py::str(name), py::str("gradient")));
}

template <class T>
void write_gradient(const std::string& name, py::handle value, const losses::LossBatch<T>& batch) {
  const std::string what = "[" + name + "] gradient";
  const std::vector<index> shape = all_sizes(batch.prediction_shape);
  const py::array any = gradient_array(name, value);
  const char kind = any.dtype().kind();
  if (kind != 'f' && kind != 'i' && kind != 'u') {
    throw py::type_error(what + " has dtype " + std::string(py::str(any.dtype())) +
                         "; expected real numbers");
  }
  LF_CHECK(sizes_of(any) == shape, what << " has shape " << base::shape_text(sizes_of(any))
                                        << "; expected " << base::shape_text(shape)
                                        << ", the shape of y_pred");
  const py::array_t<T, py::array::c_style | py::array::forcecast> array(any);
  const T* const data = array.data();
  for (index r = 0; r < batch.rows; ++r) {
    std::copy_n(data + r * batch.columns, batch.columns,
                batch.gradient + r * batch.gradient_stride);
  }
}

template <class T>
class PythonLoss {
 public:
  PythonLoss(std::string name, std::shared_ptr<PythonReference> loss)
      : name_(std::move(name)), loss_(std::move(loss)) {}

  double value(const losses::LossBatch<T>& batch) {
    const Kind kind = kind_.load(std::memory_order_relaxed);
    if (kind != Kind::graph) {
      const WithGil gil;
      const py::object result = called(batch, kind);
      if (result) return value_of_pair(result, batch);
    }
    return graph(batch.prediction_shape, batch.target_shape)->value(batch);
  }

  bool weighs(const base::BatchShape& prediction, const base::BatchShape& target) {
    if (kind_.load(std::memory_order_relaxed) != Kind::unknown) return kind_ == Kind::graph;
    const WithGil gil;
    try {
      graph(prediction, target);
    } catch (const py::error_already_set& error) {
      if (!error.matches(PyExc_Exception)) throw;
      return false;
    }
    return true;
  }

 private:
  enum class Kind { unknown, pair, graph };
  using Graph = std::shared_ptr<const model::LossGraph<T>>;
  struct Traced {
    std::vector<index> prediction, target;
    Graph graph;

    static bool same(const std::vector<index>& own, const base::BatchShape& shape) {
      return static_cast<index>(own.size()) == shape.rank + 1 && own[0] == shape.samples &&
             std::equal(own.begin() + 1, own.end(), shape.axes);
    }
  };
  static constexpr std::size_t kMostGraphs = 64;  // the newest goes: shapes may come in turns

  // What the function returns for arrays; null: it is made of operations on tensors.
  py::object called(const losses::LossBatch<T>& batch, Kind kind) {
    py::object result;
    try {
      result = call_python(loss_->get(), array_of(batch.target, batch.target_shape),
                           array_of(batch.prediction, batch.prediction_shape));
    } catch (const py::error_already_set& error) {
      if (kind == Kind::pair || !error.matches(PyExc_Exception) || !traces(batch)) throw;
      return {};
    }
    const bool several = py::isinstance<py::tuple>(result) || py::isinstance<py::list>(result);
    const Py_ssize_t count = several ? PySequence_Fast_GET_SIZE(result.ptr()) : 0;
    if (count == 2) {
      kind_.store(Kind::pair, std::memory_order_relaxed);
      return result;
    }
    std::string why;
    if (kind == Kind::unknown && !several && traces(batch, &why)) return {};
    throw py::type_error("[" + name_ + "] returned " +
                         (several ? std::to_string(count) + " items" : type_text(result)) +
                         "; expected a pair (value, gradient), or values that are made of y_true "
                         "and y_pred by operators and lstmfast.ops alone" +
                         why);
  }

  double value_of_pair(const py::object& result, const losses::LossBatch<T>& batch) const {
    const auto item = [&](Py_ssize_t i) {
      return py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(result.ptr(), i));
    };
    const double value = number(item(0), "[" + name_ + "] value");
    if (batch.gradient != nullptr) write_gradient<T>(name_, item(1), batch);
    return value;
  }

  // Whether the function can be called with tensors; `why`: set if not.
  bool traces(const losses::LossBatch<T>& batch, std::string* why = nullptr) {
    try {
      graph(batch.prediction_shape, batch.target_shape);
    } catch (const py::error_already_set& error) {
      if (!error.matches(PyExc_Exception)) throw;
      if (why != nullptr) *why = " (" + std::string(py::str(error.value())) + ")";
      return false;
    }
    return true;
  }

  // Throws what the function throws.
  Graph graph(const base::BatchShape& prediction, const base::BatchShape& target) {
    const std::shared_ptr<const std::vector<Traced>> known = traced_.get();
    if (known != nullptr) {
      for (const Traced& each : *known) {
        if (Traced::same(each.prediction, prediction) && Traced::same(each.target, target)) {
          return each.graph;
        }
      }
    }
    const WithGil gil;
    const auto all = std::make_shared<std::vector<Traced>>();
    if (known != nullptr) *all = *known;
    if (all->size() == kMostGraphs) all->pop_back();
    Traced& made = all->emplace_back(Traced{all_sizes(prediction), all_sizes(target), nullptr});
    const py::object tracing =
        result_until_exit([] { return PyImport_ImportModule("lstmfast.losses._traced"); });
    const py::object layer =
        call_method(tracing, "graph_of", loss_->get(), py::str(name_), py::cast(made.target),
                    py::cast(made.prediction), py::str(sizeof(T) == 4 ? "float32" : "float64"));
    layer.cast<const AnyLayer&>().visit([&](auto& core) {
      if constexpr (std::is_same_v<Element<decltype(core)>, T>) {
        made.graph = std::make_shared<const model::LossGraph<T>>(
            name_, std::dynamic_pointer_cast<layers::Graph<T>>(core.shared_from_this()));
      }
    });
    Graph out = made.graph;
    traced_.exchange(all);
    kind_.store(Kind::graph, std::memory_order_relaxed);
    return out;
  }

  const std::string name_;
  const std::shared_ptr<PythonReference> loss_;
  std::atomic<Kind> kind_{Kind::unknown};
  model::Shared<const std::vector<Traced>> traced_;
};

}  // namespace

template <class T>
losses::LossFunction<T> loss_function(std::string name,
                                      std::shared_ptr<PythonReference> reference) {
  const auto loss = std::make_shared<PythonLoss<T>>(std::move(name), std::move(reference));
  losses::LossFunction<T> out(
      [loss](const losses::LossBatch<T>& batch) { return loss->value(batch); });
  out.weighs = [loss](const base::BatchShape& prediction, const base::BatchShape& target) {
    return loss->weighs(prediction, target);
  };
  return out;
}

template losses::LossFunction<float> loss_function(std::string, std::shared_ptr<PythonReference>);
template losses::LossFunction<double> loss_function(std::string, std::shared_ptr<PythonReference>);

}  // namespace lstmfast::bindings
