// A Python object that gives batches, as the BatchSource that the core takes.
#pragma once

#include <optional>

#include "base/no_copy.h"
#include "bindings/gil.h"
#include "bindings/python_model.h"
#include "model/batch_source.h"

namespace lstmfast::bindings {

// The object has `batches` (int, or None) and the methods begin(), end() and, of batches (x, y,
// weights) as calls with arrays take them, first() and next(), which returns None at the end of a
// pass. Needs the GIL to be made and to end.
template <class T>
class PythonSource : base::NoCopy {
 public:
  PythonSource(const char* op, py::object source) : op_(op), source_(std::move(source)) {
    const py::object batches = source_.attr("batches");
    core_.context = this;
    core_.batches = batches.is_none() ? 0 : batches.cast<index>();
    core_.first = [](void* context) -> const model::Examples<T>& {
      const WithGil gil;
      return of(context).set(of(context).call("first"));
    };
    core_.begin = [](void* context) {
      const WithGil gil;
      of(context).call("begin");
    };
    core_.next = [](void* context) -> const model::Examples<T>* {
      const WithGil gil;
      const py::object batch = of(context).call("next");
      return batch.is_none() ? nullptr : &of(context).set(batch);
    };
    core_.end = [](void* context) {
      const WithGil gil;
      of(context).call("end");
    };
  }

  const model::BatchSource<T>& core() const { return core_; }

 private:
  static PythonSource& of(void* context) { return *static_cast<PythonSource*>(context); }
  py::object call(const char* method) { return call_method(source_, method); }
  const model::Examples<T>& set(const py::object& batch) {
    const auto parts = batch.cast<py::tuple>();
    LF_CHECK(parts.size() == 3,
             "[" << op_ << "] a batch has " << parts.size() << " items; expected x, y and weights");
    batch_.emplace(op_, parts[0].cast<py::sequence>(), parts[1].cast<py::sequence>(),
                   parts[2].cast<py::sequence>());
    return batch_->examples;
  }

  const char* op_;
  const py::object source_;
  std::optional<Inputs<T>> batch_;
  model::BatchSource<T> core_;
};

}  // namespace lstmfast::bindings
