// The class Rnn as Python holds it: the core's object with the arrays that its backward will read.
#pragma once

#include <pybind11/numpy.h>

#include <utility>

#include "api/any_model.h"
#include "base/no_copy.h"

namespace lstmfast::bindings {

namespace py = pybind11;

using api::Element;

// The arrays that a call reads; one that is not given is no object.
template <class T>
struct CallArrays {
  py::array_t<T> x, h0, c0;
  py::array_t<index> lengths;
  py::array_t<bool> resets;
  model::RnnRows rows;  // copies of lengths and resets, which backward reads
};

struct PythonRnn : api::AnyRnn, base::NoCopy {
  layers::Shape x_shape;  // of the training call whose arrays are kept

  explicit PythonRnn(api::AnyRnn rnn) : api::AnyRnn(std::move(rnn)) {}
  ~PythonRnn() { release_arrays(); }

  // Keeps what backward of a training call reads, in place of an earlier call's. `own_y`: the call
  // made y, which is then read-only until it is released; an array of the caller's stays writable.
  template <class T>
  void keep_arrays(CallArrays<T> arrays, const layers::Shape& shape, py::object y, bool own_y) {
    release_arrays();
    x_shape = shape;
    x_ = std::move(arrays.x);
    h0_ = std::move(arrays.h0);
    c0_ = std::move(arrays.c0);
    rows_ = std::move(arrays.rows);
    y_ = std::move(y);
    own_y_ = own_y;
    if (own_y_) set_writable(y_, false);
  }
  void release_arrays() {
    if (own_y_) set_writable(y_, true);
    own_y_ = false;
    x_ = h0_ = c0_ = y_ = py::object();
    rows_ = {};
  }
  struct ReleaseArrays {
    PythonRnn& rnn;
    ~ReleaseArrays() { rnn.release_arrays(); }
  };

 private:
  static void set_writable(const py::object& array, bool writable) {
    constexpr int flag = py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
    int& flags = py::detail::array_proxy(array.ptr())->flags;
    flags = writable ? flags | flag : flags & ~flag;
  }

  py::object x_, h0_, c0_, y_;
  model::RnnRows rows_;
  bool own_y_ = false;
};

void bind_parameters(py::class_<PythonRnn>& rnn);

}  // namespace lstmfast::bindings
