// Stream as Python holds it, and one call of it on arrays. Knows no Python method.
#pragma once

#include <algorithm>
#include <atomic>
#include <string>

#include "api/any_stream.h"
#include "bindings/gil.h"
#include "bindings/python_model.h"

namespace lstmfast::bindings {

namespace npy = pybind11::detail;

struct PythonStream : api::AnyStream {
  using api::AnyStream::AnyStream;
  bool release_gil = false;
  std::atomic<bool> runs{false};  // a call that has released the GIL

  explicit PythonStream(api::AnyStream stream) : api::AnyStream(std::move(stream)) {}
};

inline const npy::PyArray_Proxy* array_at(py::handle value) {
  return npy::array_proxy(value.ptr());
}

inline layers::Shape shape_at(py::handle value) {
  layers::Shape shape;
  const npy::PyArray_Proxy* const array = array_at(value);
  for (int i = 0; i < std::min(array->nd, int{layers::Shape::kMaxRank}); ++i) {
    shape.append(array->dimensions[i]);
  }
  return shape;
}

// Whether kernels can use the array as it is; `write`: and write it.
template <class T>
bool is_usable(py::handle value, bool write = false) {
  if (Py_TYPE(value.ptr()) != npy::npy_api::get().PyArray_Type_) return false;
  const auto* const type = npy::array_descriptor_proxy(py::handle(array_at(value)->descr).ptr());
  const int wanted = npy::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | npy::npy_api::NPY_ARRAY_ALIGNED_ |
                     (write ? npy::npy_api::NPY_ARRAY_WRITEABLE_ : 0);
  return type->type_num == py::dtype::num_of<T>() && type->byteorder == '=' &&
         (array_at(value)->flags & wanted) == wanted &&
         array_at(value)->nd <= layers::Shape::kMaxRank;
}

// A call of step or, with `block`, of process. xs and outs are arrays, one for each port; outs may
// be None.
template <class T>
class Call {
 public:
  Call(model::Stream<T>& stream, bool block) : stream_(stream), block_(block) {}

  // Whether the arrays are what kernels can use; then sets the pointers. For the first and only
  // ports `inputs` and `outputs` are memory of the caller's.
  bool read(const py::handle* xs, const py::handle* outs, model::StepInput<T>* inputs,
            T** outputs) {
    for (index k = 0; k < stream_.inputs(); ++k) {
      const bool ids = stream_.ids(k) > 0;
      if (!(ids ? is_usable<std::int32_t>(xs[k]) : is_usable<T>(xs[k]))) return false;
      if (k == 0) begin(array_at(xs[0]));
      if (!fits(xs[k], stream_.in_shape(k), stream_.in_steps(k))) return false;
      const void* const data = array_at(xs[k])->data;
      inputs[k] = {};
      ids ? static_cast<void>(inputs[k].ids = static_cast<const std::int32_t*>(data))
          : static_cast<void>(inputs[k].values = static_cast<const T*>(data));
    }
    for (index k = 0; k < stream_.outputs(); ++k) {
      outputs[k] = nullptr;
      if (outs[k].is_none()) continue;
      if (!is_usable<T>(outs[k], true)) return false;
      if (!fits(outs[k], stream_.out_shape(k), stream_.out_steps(k))) return false;
      outputs[k] = reinterpret_cast<T*>(array_at(outs[k])->data);
    }
    return true;
  }

  // Throws for what read() refuses.
  void explain(const char* op, const py::handle* xs, const py::handle* outs) {
    for (index k = 0; k < stream_.inputs(); ++k) {
      const std::string name = model::numbered(block_ ? "block" : "x", k, stream_.inputs());
      if (stream_.ids(k) > 0) {
        take<std::int32_t>(op, name.c_str(), xs[k]);
      } else {
        take<T>(op, name.c_str(), xs[k]);
      }
      if (k == 0) begin(array_at(xs[0]));
      check(op, name, xs[k], stream_.in_shape(k), stream_.in_steps(k));
    }
    for (index k = 0; k < stream_.outputs(); ++k) {
      if (outs[k].is_none()) continue;
      const std::string name = model::numbered("out", k, stream_.outputs());
      const py::array_t<T> out = take<T>(op, name.c_str(), outs[k]);
      LF_CHECK(out.writeable(),
               "[" << op << "] " << name << " is read-only; expected an array to write");
      check(op, name, outs[k], stream_.out_shape(k), stream_.out_steps(k));
    }
  }

  // New arrays for the outputs that have none.
  py::object make(index k, T** outputs) const {
    py::array_t<T> made = new_array<T>(whole(stream_.out_shape(k), stream_.out_steps(k)));
    outputs[k] = made.mutable_data();
    return std::move(made);
  }

  void run(PythonStream& self, const model::StepInput<T>* inputs, T* const* outputs) const {
    if (!self.release_gil) return stream_.process(steps_, inputs, outputs);
    self.runs.store(true, std::memory_order_relaxed);
    struct End {
      std::atomic<bool>& runs;
      ~End() { runs.store(false, std::memory_order_relaxed); }
    } const end{self.runs};
    const WithoutGil release;
    stream_.process(steps_, inputs, outputs);
  }

 private:
  // Learns from the first input how many steps there are, and whether the axis of rows is there,
  // which a single row may leave out.
  void begin(const npy::PyArray_Proxy* x) {
    const bool axis = block_ && stream_.in_steps(0);
    batched_ = stream_.rows() > 1 || x->nd != stream_.in_shape(0).rank + (axis ? 1 : 0);
    const int at = batched_ ? 1 : 0;
    if (axis && at < x->nd) steps_ = x->dimensions[at];
  }
  layers::Shape whole(const layers::Shape& shape, bool in_steps) const {
    layers::Shape out;
    if (batched_) out.append(stream_.rows());
    if (in_steps && block_) out.append(steps_);
    for (int i = 0; i < shape.rank; ++i) out.append(shape.sizes[i]);
    return out;
  }
  bool fits(py::handle array, const layers::Shape& shape, bool in_steps) const {
    return steps_ >= 1 && shape_at(array) == whole(shape, in_steps);
  }
  void check(const char* op, const std::string& name, py::handle array, const layers::Shape& shape,
             bool in_steps) const {
    LF_CHECK(fits(array, shape, in_steps), "[" << op << "] " << name << " has shape "
                                               << shape_at(array).text() << "; expected "
                                               << whole(shape, in_steps).text()
                                               << (steps_ >= 1 ? "" : ", with at least one step"));
  }

  model::Stream<T>& stream_;
  const bool block_;
  index steps_ = 1;
  bool batched_ = true;
};

inline const char* name_of(bool block) { return block ? "stream.process" : "stream.step"; }

inline void check_free(const PythonStream& self, const char* op) {
  if (!self.runs.load(std::memory_order_relaxed)) return;
  throw std::runtime_error(std::string("[") + op +
                           "] another thread runs this stream; expected one thread at a time");
}

}  // namespace lstmfast::bindings
