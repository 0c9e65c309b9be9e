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

// Whether kernels can use the array as it is; `write`: and write it. exact: it must be of NumPy's
// own class.
template <class T>
bool is_usable(py::handle value, bool exact, bool write) {
  const auto& api = npy::npy_api::get();
  if (Py_TYPE(value.ptr()) != api.PyArray_Type_ && (exact || !api.PyArray_Check_(value.ptr()))) {
    return false;
  }
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
  // exact: as for is_usable().
  Call(model::Stream<T>& stream, bool block, bool exact)
      : stream_(stream), block_(block), exact_(exact) {}

  // Whether the arrays are what kernels can use; then sets the pointers. For the first and only
  // ports `inputs` and `outputs` are memory of the caller's.
  bool read(const py::handle* xs, const py::handle* outs, model::StepInput<T>* inputs,
            T** outputs) {
    for (index k = 0; k < stream_.inputs(); ++k) {
      const bool ids = stream_.ids(k) > 0;
      if (!(ids ? is_usable<std::int32_t>(xs[k], exact_, false)
                : is_usable<T>(xs[k], exact_, false)))
        return false;
    }
    begin(xs);
    for (index k = 0; k < stream_.inputs(); ++k) {
      const bool ids = stream_.ids(k) > 0;
      if (!fits(xs[k], stream_.in_shape(k), stream_.in_steps(k))) return false;
      const void* const data = array_at(xs[k])->data;
      inputs[k] = {};
      ids ? static_cast<void>(inputs[k].ids = static_cast<const std::int32_t*>(data))
          : static_cast<void>(inputs[k].values = static_cast<const T*>(data));
    }
    for (index k = 0; k < stream_.outputs(); ++k) {
      outputs[k] = nullptr;
      if (outs[k].is_none()) continue;
      if (!is_usable<T>(outs[k], exact_, true)) return false;
      if (!fits(outs[k], stream_.out_shape(k), stream_.out_steps(k))) return false;
      for (index i = 0; i < stream_.inputs(); ++i) {
        if (overlaps(xs[i], outs[k])) return false;
      }
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
    }
    begin(xs);
    for (index k = 0; k < stream_.inputs(); ++k) {
      check(op, model::numbered(block_ ? "block" : "x", k, stream_.inputs()), xs[k],
            stream_.in_shape(k), stream_.in_steps(k));
    }
    for (index k = 0; k < stream_.outputs(); ++k) {
      if (outs[k].is_none()) continue;
      const std::string name = model::numbered("out", k, stream_.outputs());
      const py::array_t<T> out = take<T>(op, name.c_str(), outs[k]);
      LF_CHECK(out.writeable(),
               "[" << op << "] " << name << " is read-only; expected an array to write");
      check(op, name, outs[k], stream_.out_shape(k), stream_.out_steps(k));
      for (index i = 0; i < stream_.inputs(); ++i) {
        LF_CHECK(!overlaps(xs[i], outs[k]),
                 "[" << op << "] " << name << " overlaps the block; expected other memory");
      }
    }
    LF_FAIL("[" << op << "] expected arrays in C order, of the machine's byte order");
  }

  // New arrays for the outputs that have none.
  py::object make(index k, T** outputs) const {
    py::array_t<T> made = new_array<T>(whole(stream_.out_shape(k), stream_.out_steps(k)));
    outputs[k] = made.mutable_data();
    return std::move(made);
  }

  void run(PythonStream& self, const model::StepInput<T>* inputs, T* const* outputs) const {
    if (!self.release_gil) return run_parts(inputs, outputs, [] { return PyErr_CheckSignals(); });
    self.runs.store(true, std::memory_order_relaxed);
    struct End {
      std::atomic<bool>& runs;
      ~End() { runs.store(false, std::memory_order_relaxed); }
    } const end{self.runs};
    const WithoutGil release;
    run_parts(inputs, outputs, [] {
      check_signals();
      return 0;
    });
  }

 private:
  // check() between parts: it returns whether a signal's handler has raised, or throws what it did.
  template <class F>
  void run_parts(const model::StepInput<T>* inputs, T* const* outputs, F check) const {
    constexpr index kPart = 256;  // 50 ms of the largest models
    for (index t = 0; t < steps_; t += kPart) {
      if (t > 0 && check()) throw py::error_already_set();
      stream_.process_part(steps_, t, std::min(steps_, t + kPart), inputs, outputs);
    }
  }
  // Learns from the first input that has steps how many there are, and whether the axis of rows is
  // there, which a single row may leave out.
  void begin(const py::handle* xs) {
    index k = 0;
    while (k + 1 < stream_.inputs() && !stream_.in_steps(k)) ++k;
    const npy::PyArray_Proxy* const x = array_at(xs[k]);
    const bool axis = block_ && stream_.in_steps(k);
    batched_ = stream_.rows() > 1 || x->nd != stream_.in_shape(k).rank + (axis ? 1 : 0);
    const int at = batched_ ? 1 : 0;
    if (axis && at < x->nd) steps_ = x->dimensions[at];
  }
  // Whether a block would be overwritten before it is read. A step reads all before it writes.
  bool overlaps(py::handle x, py::handle out) const {
    if (!block_) return false;
    const auto bytes = [](py::handle array) {
      return static_cast<std::size_t>(py::reinterpret_borrow<py::array>(array).nbytes());
    };
    const char *const a = array_at(x)->data, *const b = array_at(out)->data;
    if (a == b && bytes(x) == bytes(out)) return false;  // each step lies where it lay
    return a < b + bytes(out) && b < a + bytes(x);
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
                                               << (steps_ >= 1 ? "" : " with at least one step"));
  }

  model::Stream<T>& stream_;
  const bool block_, exact_;
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
