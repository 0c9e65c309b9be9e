// Values of options from Python and back. What a value is for is not known here: any integer type
// comes as an integer, whatever can be a float as a number, a list or tuple of sizes as extents,
// one of other numbers as numbers.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "base/options.h"

namespace lstmfast::bindings {

base::Value to_value(pybind11::handle value);
pybind11::object from_value(const base::Value& value);  // extents and numbers as a tuple

}  // namespace lstmfast::bindings

// So base::Options are dictionaries.
template <>
struct pybind11::detail::type_caster<lstmfast::base::Value> {
  PYBIND11_TYPE_CASTER(lstmfast::base::Value, const_name("object"));

  bool load(handle source, bool) {
    value = lstmfast::bindings::to_value(source);
    return true;
  }
  static handle cast(const lstmfast::base::Value& value, return_value_policy, handle) {
    return lstmfast::bindings::from_value(value).release();
  }
};
