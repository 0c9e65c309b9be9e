// NumPy arrays to pointers and back: the only place where data pass between Python and the core.
// The Python package converts what users pass; here kind, dtype and memory order are only checked.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/plain.h"
#include "layers/shape.h"

namespace lstmfast::bindings {

namespace py = pybind11;

template <class T>
std::string dtype_text() {
  return py::str(py::dtype::of<T>());
}

inline std::string type_text(py::handle value) {
  return py::str(py::type::handle_of(value).attr("__name__"));
}

// `value`, which must be an aligned array of T in C order: TypeError for another kind or dtype,
// ValueError for another order or address. The result shares its memory.
template <class T>
py::array_t<T> take(const char* op, const char* name, py::handle value) {
  const auto what = [&] { return std::string("[") + op + "] " + name; };
  if (!py::isinstance<py::array>(value)) {
    throw py::type_error(what() + " is " + type_text(value) + "; expected a NumPy array of " +
                         dtype_text<T>());
  }
  const auto array = py::reinterpret_borrow<py::array>(value);
  if (!py::isinstance<py::array_t<T>>(value)) {
    throw py::type_error(what() + " has dtype " + std::string(py::str(array.dtype())) +
                         "; expected " + dtype_text<T>());
  }
  if ((array.flags() & py::array::c_style) == 0) {
    const bool columns_first = (array.flags() & py::array::f_style) != 0;
    throw py::value_error(what() + (columns_first ? " is in Fortran order" : " is not contiguous") +
                          "; expected C order");
  }
  if ((array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0) {
    throw py::value_error(what() + " is not aligned in memory; expected an address divisible by " +
                          std::to_string(alignof(T)));
  }
  if (array.ndim() > layers::Shape::kMaxRank) {
    throw py::value_error(what() + " has " + std::to_string(array.ndim()) +
                          " axes; expected at most " + std::to_string(layers::Shape::kMaxRank));
  }
  return py::reinterpret_borrow<py::array_t<T>>(value);
}

// Whether `value` is an array of T, of NumPy's own class, that kernels can read without a copy, and
// has no more axes than a Shape.
template <class T>
bool is_ready(py::handle value) {
  if (Py_TYPE(value.ptr()) != py::detail::npy_api::get().PyArray_Type_) return false;
  constexpr int kOrder = py::array::c_style | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  return py::isinstance<py::array_t<T>>(value) &&
         (py::detail::array_proxy(value.ptr())->flags & kOrder) == kOrder &&
         py::detail::array_proxy(value.ptr())->nd <= layers::Shape::kMaxRank;
}

// Takes the arrays of a call that has a fast path: an array that is not ready is an error of `op`
// or, where that is null, no object, and `ready` becomes false.
struct Taker {
  const char* op = nullptr;
  bool ready = true;

  template <class T>
  py::array_t<T> take(const char* name, py::handle value) {
    if (op != nullptr) return bindings::take<T>(op, name, value);
    const bool fits = is_ready<T>(value);
    ready = ready && fits;
    return py::reinterpret_borrow<py::array_t<T>>(fits ? value : py::handle());
  }
  // No object where `value` is None.
  template <class T>
  py::array_t<T> optional(const char* name, py::handle value) {
    return value.is_none() ? py::reinterpret_steal<py::array_t<T>>(py::handle())
                           : take<T>(name, value);
  }
};

// As take(), but whole numbers of any type, such as labels, are copied to T.
template <class T>
py::array_t<T> take_target(const char* op, const char* name, py::handle value) {
  if (py::isinstance<py::array>(value)) {
    const char kind = py::reinterpret_borrow<py::array>(value).dtype().kind();
    if (kind == 'i' || kind == 'u' || kind == 'b') {
      return take<T>(op, name,
                     py::array_t<T, py::array::c_style | py::array::forcecast>(
                         py::reinterpret_borrow<py::object>(value)));
    }
  }
  return take<T>(op, name, value);
}

// Appends the sizes of the array's axes from `first` on. By reference: copying a shape right after
// its sizes were stored one by one stalls on store forwarding.
inline void append_sizes(layers::Shape& shape, const py::array& array, py::ssize_t first = 0) {
  for (py::ssize_t i = first; i < array.ndim(); ++i) shape.append(array.shape(i));
}

inline layers::Shape shape_of(const py::array& array) {
  layers::Shape shape;
  append_sizes(shape, array);
  return shape;
}

inline std::vector<index> sizes_of(const py::array& array) {
  return std::vector<index>(array.shape(), array.shape() + array.ndim());
}

inline void check_shape(const char* op, const char* name, const py::array& array,
                        const layers::Shape& expected) {
  LF_CHECK(shape_of(array) == expected, "[" << op << "] " << name << " has shape "
                                            << shape_of(array).text() << "; expected "
                                            << expected.text());
}

// By NumPy's own function: pybind11's constructors make lists of sizes and strides, which takes a
// noticeable part of a small call.
template <class T>
py::array_t<T> new_array(const index* sizes, int rank) {
  static_assert(sizeof(index) == sizeof(Py_intptr_t));
  const auto& numpy = py::detail::npy_api::get();
  PyObject* array = numpy.PyArray_NewFromDescr_(
      numpy.PyArray_Type_, py::dtype::of<T>().release().ptr(), rank,
      reinterpret_cast<const Py_intptr_t*>(sizes), nullptr, nullptr, 0, nullptr);
  if (array == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::array_t<T>>(array);
}
template <class T>
py::array_t<T> new_array(const layers::Shape& shape) {
  return new_array<T>(shape.sizes, shape.rank);
}
template <class T>
py::array_t<T> new_array(const std::vector<index>& sizes) {
  return new_array<T>(sizes.data(), static_cast<int>(sizes.size()));
}

// Sizes that are negative, not known yet, are None.
inline py::tuple sizes_tuple(const index* sizes, index count) {
  py::list out;
  for (index i = 0; i < count; ++i) {
    out.append(sizes[i] == layers::kAnySize ? py::object(py::none())
                                            : py::object(py::int_(sizes[i])));
  }
  return py::tuple(out);
}

}  // namespace lstmfast::bindings

// Shapes as tuples, as sizes_tuple() makes them.
template <>
struct pybind11::detail::type_caster<lstmfast::layers::Shape> {
  PYBIND11_TYPE_CASTER(lstmfast::layers::Shape, const_name("tuple"));

  bool load(handle source, bool convert) {
    make_caster<std::vector<std::optional<lstmfast::index>>> sizes;
    if (!sizes.load(source, convert)) return false;
    for (const auto& size : *sizes) value.append(size.value_or(lstmfast::layers::kAnySize));
    return true;
  }
  static handle cast(const lstmfast::layers::Shape& shape, return_value_policy, handle) {
    return lstmfast::bindings::sizes_tuple(shape.sizes, shape.rank).release();
  }
};
