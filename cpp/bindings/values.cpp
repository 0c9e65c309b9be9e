#include "bindings/values.h"

#include <cmath>
#include <limits>
#include <string>

#include "bindings/gil.h"
#include "bindings/numpy.h"

namespace lstmfast::bindings {
namespace {

namespace py = pybind11;

// What a function of lstmfast._checks says of a value.
std::string text_of(const char* function, py::handle value) {
  const py::object checks =
      result_until_exit([] { return PyImport_ImportModule("lstmfast._checks"); });
  return py::str(call_method(checks, function, value));
}

base::Value integer(py::handle value) {
  int beyond = 0;
  const long long whole = PyLong_AsLongLongAndOverflow(value.ptr(), &beyond);
  if (beyond == 0) return static_cast<index>(whole);
  base::Foreign out;
  out.text = text_of("shown", value);
  out.integer = true;
  out.number = PyLong_AsDouble(value.ptr());
  if (PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    out.number = std::numeric_limits<double>::infinity();
  }
  return out;
}

base::Value text(py::handle value) {
  Py_ssize_t size = 0;
  const char* const utf8 = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (utf8 != nullptr) return std::string(utf8, static_cast<std::size_t>(size));
  PyErr_Clear();  // lone surrogates
  base::Foreign out;
  out.text = py::str(py::reinterpret_steal<py::object>(PyObject_ASCII(value.ptr())));
  out.content = true;
  return out;
}

// The object that `convert` makes, null where it is of no such type.
template <class F>
py::object converted(F convert) {
  PyObject* const out = until_exit(convert);
  if (out == nullptr) {
    const bool none = PyErr_ExceptionMatches(PyExc_TypeError) != 0 ||
                      PyErr_ExceptionMatches(PyExc_ValueError) != 0;
    if (!none) throw py::error_already_set();
    PyErr_Clear();
  }
  return py::reinterpret_steal<py::object>(out);
}

bool sizes_of(py::handle value, base::Extents& out) {
  for (const py::handle item : py::reinterpret_borrow<py::sequence>(value)) {
    const base::Value size = item.is_none() ? base::Value(base::kAnyExtent) : to_value(item);
    if (size.kind() != base::Value::Kind::integer) return false;
    if (!item.is_none() && size.integer() == base::kAnyExtent) return false;
    out.push_back(size.integer());
  }
  return true;
}

bool numbers_of(py::handle value, base::Numbers& out) {
  for (const py::handle item : py::reinterpret_borrow<py::sequence>(value)) {
    const base::Value number = to_value(item);
    const base::Value::Kind kind = number.kind();
    if (kind != base::Value::Kind::integer && kind != base::Value::Kind::number) return false;
    out.push_back(number.number());
  }
  return true;
}

}  // namespace

base::Value to_value(py::handle value) {
  PyObject* const object = value.ptr();
  if (value.is_none()) return {};
  py::detail::make_caster<bool> flag;  // knows NumPy's, too
  if (flag.load(value, false)) return bool(flag);
  if (PyLong_Check(object)) return integer(value);
  if (PyFloat_Check(object)) return PyFloat_AsDouble(object);
  if (PyUnicode_Check(object)) return text(value);
  if (PyTuple_Check(object) || PyList_Check(object)) {
    base::Extents sizes;
    if (sizes_of(value, sizes)) return sizes;
    base::Numbers numbers;
    if (numbers_of(value, numbers)) return numbers;
  } else if (!PyType_Check(object)) {
    if (PyIndex_Check(object)) {
      const py::object whole = converted([object] { return PyNumber_Index(object); });
      if (whole) return integer(whole);
    }
    const PyNumberMethods* const methods = Py_TYPE(object)->tp_as_number;
    if (methods != nullptr && methods->nb_float != nullptr) {
      const py::object real = converted([object] { return PyNumber_Float(object); });
      if (real) return PyFloat_AsDouble(real.ptr());
    }
  }
  base::Foreign out;
  out.text = text_of("what_came", value);
  return out;
}

py::object from_value(const base::Value& value) {
  return value.visit([](const auto& held) -> py::object {
    using Held = std::decay_t<decltype(held)>;
    if constexpr (std::is_same_v<Held, base::Extents>) {
      return sizes_tuple(held.data(), static_cast<index>(held.size()));
    } else if constexpr (std::is_same_v<Held, base::Numbers>) {
      return py::tuple(py::cast(held));
    } else if constexpr (std::is_same_v<Held, base::FileText>) {
      return py::str(held.text);
    } else if constexpr (std::is_same_v<Held, base::Foreign>) {
      return py::none();
    } else {
      return py::cast(held);
    }
  });
}

}  // namespace lstmfast::bindings
