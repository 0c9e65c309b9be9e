// __init__ from a function that returns a std::unique_ptr. Used in place of py::init, which deletes
// the object twice where pybind11 has no memory for its own entry.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <utility>

namespace lstmfast::bindings {

namespace py = pybind11;

template <class C, class... Args, class... Extra>
void def_init(py::class_<C>& of, std::unique_ptr<C> (*make)(Args...), const Extra&... extra) {
  of.def(
      "__init__",
      [make](py::detail::value_and_holder& place, Args... args) {
        std::unique_ptr<C> made = make(std::forward<Args>(args)...);
        place.value_ptr() = made.get();
        try {
          place.type->init_instance(place.inst, &made);
        } catch (...) {
          place.value_ptr() = nullptr;
          throw;
        }
      },
      py::detail::is_new_style_constructor(), extra...);
}

}  // namespace lstmfast::bindings
