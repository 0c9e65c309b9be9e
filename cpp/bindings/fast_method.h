// Methods that bypass pybind11's dispatch for speed: their arguments are positional and not
// converted. Knows no method.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <string>
#include <utility>

namespace lstmfast::bindings {

namespace py = pybind11;

inline bool is_flag(py::handle value) { return value.ptr() == Py_True || value.ptr() == Py_False; }

// The value of an argument that must be True or False itself.
inline bool is_true(py::handle flag, const char* name) {
  if (!is_flag(flag)) {
    throw py::type_error(std::string(name) + " is of type " + Py_TYPE(flag.ptr())->tp_name +
                         "; expected True or False");
  }
  return flag.ptr() == Py_True;
}

inline Py_ssize_t whole_number(py::handle value) {
  const Py_ssize_t number = PyLong_AsSsize_t(value.ptr());
  if (number == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  return number;
}

namespace detail {

template <class C>
C& held_by(PyObject* self) {
  void* const value =
      reinterpret_cast<py::detail::instance*>(self)->get_value_and_holder().value_ptr();
  if (value == nullptr) {
    throw py::type_error(std::string(Py_TYPE(self)->tp_name) + ".__init__() was not called");
  }
  return *static_cast<C*>(value);
}

template <auto method>
struct FastMethod;

template <class C, class... Args, py::object (*method)(C&, Args...)>
struct FastMethod<method> {
  static constexpr std::size_t kCount = sizeof...(Args);

  template <std::size_t... i>
  static PyObject* call(PyObject* self, PyObject* const* arguments, std::index_sequence<i...>) {
    return method(held_by<C>(self), Args(arguments[i])...).release().ptr();
  }
  static PyObject* invoke(PyObject* self, PyObject* const* arguments, Py_ssize_t count) noexcept {
    try {
      if (count != Py_ssize_t{kCount}) {
        throw py::type_error("expected " + std::to_string(kCount) + " arguments, got " +
                             std::to_string(count));
      }
      return call(self, arguments, std::make_index_sequence<kCount>());
    } catch (py::error_already_set& error) {
      error.restore();
    } catch (...) {
      py::detail::try_translate_exceptions();
    }
    return nullptr;
  }
};

}  // namespace detail

// Adds py::object method(C&, py::handle...) as `name`; `doc` begins with its signature in the form
// that inspect reads, "name($self, x, /)\n--\n\n".
template <auto method, class C>
void def_fast(py::class_<C>& type, const char* name, const char* doc) {
  static PyMethodDef definition{name,
                                reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(
                                    &detail::FastMethod<method>::invoke)),
                                METH_FASTCALL, doc};
  PyObject* const descriptor =
      PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type.ptr()), &definition);
  if (descriptor == nullptr) throw py::error_already_set();
  type.attr(name) = py::reinterpret_steal<py::object>(descriptor);
}

}  // namespace lstmfast::bindings
