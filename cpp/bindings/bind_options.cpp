// The tables of options of all components.
#include <pybind11/stl.h>

#include <limits>
#include <memory>
#include <utility>

#include "api/components.h"
#include "bindings/bindings.h"
#include "bindings/python_functions.h"
#include "bindings/values.h"

namespace lstmfast::bindings {
namespace {

namespace py = pybind11;

// What an option takes: "flag", "integer", ..., one after the other.
py::list kinds_taken(const base::Option& option) {
  constexpr std::pair<unsigned, const char*> kNames[] = {
      {base::kFlag, "flag"}, {base::kInteger, "integer"}, {base::kNumber, "number"},
      {base::kText, "text"}, {base::kExtents, "extents"}, {base::kNumbers, "numbers"}};
  py::list out;
  for (const auto& [kind, name] : kNames) {
    if ((option.takes & kind) != 0) out.append(name);
  }
  return out;
}

py::object bound(double value) {
  const bool open = std::abs(value) == std::numeric_limits<double>::max();
  return open ? py::object(py::none()) : py::object(py::float_(value));
}

py::dict row_dict(const base::Option& option) {
  const bool counts = (option.takes & (base::kInteger | base::kExtents)) != 0;
  py::dict out;
  out["name"] = option.name;
  out["takes"] = kinds_taken(option);
  out["required"] = option.required;
  out["default"] = from_value(option.fallback);
  out["low"] = counts ? py::object(py::int_(option.least)) : bound(option.bounds.low);
  out["high"] = counts ? py::object(py::int_(option.most)) : bound(option.bounds.high);
  out["choices"] = option.choices;
  out["expected"] = option.expected_text();
  return out;
}

py::list describe(const std::string& family, const std::string& kind) {
  py::list out;
  for (const base::Option& option : api::options_of(family, kind).rows) {
    out.append(row_dict(option));
  }
  return out;
}

// The learning rate after `step` steps, by a schedule of these options.
double scheduled_rate(const base::Options& options, double step, py::object custom) {
  optim::Schedule own;
  if (!custom.is_none()) own = schedule_of(std::make_shared<PythonReference>(std::move(custom)));
  return optim::make_schedule(base::OptionReader(options, "schedule"), own)(step);
}

}  // namespace

void bind_options(py::module_& module) {
  module.def("families", &api::families)
      .def("kinds", &api::kinds, py::arg("family"))
      .def("describe", &describe, py::arg("family"), py::arg("kind"))
      .def("check", &api::check, py::arg("family"), py::arg("kind"), py::arg("options"),
           py::arg("where"))
      .def("scheduled_rate", &scheduled_rate, py::arg("options"), py::arg("step"),
           py::arg("custom") = py::none());
}

}  // namespace lstmfast::bindings
