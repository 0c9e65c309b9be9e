// Values of options from Python and back. What a value is for is not known here: any integer type
// comes as an integer, whatever can be a float as a number, a list or tuple of sizes as extents.
#pragma once

#include <pybind11/pybind11.h>

#include "base/options.h"

namespace lstmfast::bindings {

base::Value to_value(pybind11::handle value);
pybind11::object from_value(const base::Value& value);  // extents as a tuple

base::Options to_options(const pybind11::dict& values);
pybind11::dict from_options(const base::Options& options);

}  // namespace lstmfast::bindings
