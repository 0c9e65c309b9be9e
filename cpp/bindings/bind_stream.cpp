// class Stream, which lstmfast.models.Stream extends. A step of a microsecond is called a million
// times a second: arguments are read without pybind11, and what is not ready to be used as it is
// goes to the Python method `_converted`.
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/fast_method.h"
#include "bindings/init.h"
#include "bindings/python_stream.h"

namespace lstmfast::bindings {
namespace {

using layers::Shape;

// The fast way of a stream with one input and one output; no object where an array is not ready.
template <class T>
py::object run_one(PythonStream& self, model::Stream<T>& stream, py::handle x, py::handle out,
                   bool block) {
  if (stream.inputs() != 1 || stream.outputs() != 1) return py::object();
  Call<T> call(stream, block, true);
  model::StepInput<T> input;
  T* output = nullptr;
  if (!call.read(&x, &out, &input, &output)) return py::object();
  py::object result =
      output != nullptr ? py::reinterpret_borrow<py::object>(out) : call.make(0, &output);
  call.run(self, &input, &output);
  return result;
}

// Any number of inputs and outputs, arrays that are ready; else an error. Returns a list.
py::list run_all(PythonStream& self, const py::sequence& x, const py::sequence& out, bool block) {
  check_free(self, name_of(block));
  return self.visit([&](auto& stream) {
    using T = Element<decltype(stream)>;
    const std::vector<py::object> kept_x = x.cast<std::vector<py::object>>(),
                                  kept_out = out.cast<std::vector<py::object>>();
    const std::vector<py::handle> xs(kept_x.begin(), kept_x.end()),
        outs(kept_out.begin(), kept_out.end());
    LF_CHECK(static_cast<index>(xs.size()) == stream.inputs() &&
                 static_cast<index>(outs.size()) == stream.outputs(),
             "[" << name_of(block) << "] got " << xs.size() << " inputs and " << outs.size()
                 << " outputs; expected " << stream.inputs() << " and " << stream.outputs());
    Call<T> call(stream, block, false);
    std::vector<model::StepInput<T>> inputs(xs.size());
    std::vector<T*> outputs(outs.size());
    if (!call.read(xs.data(), outs.data(), inputs.data(), outputs.data())) {
      call.explain(name_of(block), xs.data(), outs.data());
    }
    py::list results;
    for (std::size_t k = 0; k < outs.size(); ++k) {
      results.append(outputs[k] != nullptr ? kept_out[k]
                                           : call.make(static_cast<index>(k), outputs.data()));
    }
    call.run(self, inputs.data(), outputs.data());
    return results;
  });
}

// step(x, out=None) and process(block, out=None).
template <bool block>
PyObject* fast_call(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                    PyObject* names) noexcept {
  try {
    static PyObject* const kOut = PyUnicode_InternFromString("out");
    const Py_ssize_t named = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
    const bool out_named = named == 1 && PyTuple_GET_ITEM(names, 0) == kOut;
    const bool plain = count >= 1 && count + named <= 2 && (named == 0 || out_named);
    if (plain) {
      auto& stream = detail::held_by<PythonStream>(self);
      check_free(stream, name_of(block));
      const py::handle out = count + named == 2 ? arguments[1] : Py_None;
      py::object result =
          stream.visit([&](auto& held) { return run_one(stream, held, arguments[0], out, block); });
      if (result) return result.release().ptr();
    }
    static PyObject* const kConverted =
        PyUnicode_InternFromString(block ? "_converted_block" : "_converted_step");
    const py::object method = py::reinterpret_steal<py::object>(PyObject_GetAttr(self, kConverted));
    if (!method) throw py::error_already_set();
    return PyObject_Vectorcall(method.ptr(), arguments, static_cast<std::size_t>(count), names);
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (...) {
    py::detail::try_translate_exceptions();
  }
  return nullptr;
}

template <bool block>
void def_call(py::class_<PythonStream>& type, const char* name, const char* doc) {
  static PyMethodDef definition{
      name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&fast_call<block>)),
      METH_FASTCALL | METH_KEYWORDS, doc};
  PyObject* const descriptor =
      PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type.ptr()), &definition);
  if (descriptor == nullptr) throw py::error_already_set();
  type.attr(name) = py::reinterpret_steal<py::object>(descriptor);
}

// Throws for an object whose __init__ was not called, too, which pybind11 would make up.
PythonStream& stream_of(const py::object& self) {
  if (!py::isinstance<PythonStream>(self)) {
    throw py::type_error("expected a Stream, got " + type_text(self));
  }
  return detail::held_by<PythonStream>(self.ptr());
}

// f(PythonStream&, arguments...) as a method.
template <class Self, class Result, class... Args>
auto of_initialised(Result (*f)(Self, Args...)) {
  return [f](const py::object& self, Args... args) {
    return f(stream_of(self), std::forward<Args>(args)...);
  };
}
template <class F>
auto of_initialised_stream(F f) {
  return [f](const py::object& self) {
    return stream_of(self).visit([&](auto& stream) { return f(stream); });
  };
}

std::unique_ptr<PythonStream> make_stream(const PythonModel& model, index rows, bool release_gil) {
  auto made = std::make_unique<PythonStream>(api::make_stream(model, rows, true));
  made->release_gil = release_gil;
  return made;
}

std::unique_ptr<PythonStream> copy_stream(const PythonStream& other) {
  check_free(other, "stream.copy");
  auto made = std::make_unique<PythonStream>(other.visit([](auto& stream) {
    using T = Element<decltype(stream)>;
    return api::AnyStream(std::make_shared<model::Stream<T>>(stream));
  }));
  made->release_gil = other.release_gil;
  return made;
}

bool refresh(PythonStream& self, const PythonModel& model) {
  check_free(self, "stream.refresh");
  return self.visit([&](auto& stream) -> bool {
    using T = Element<decltype(stream)>;
    return model.visit([&](auto& source) -> bool {
      if constexpr (std::is_same_v<Element<decltype(source)>, T>) {
        auto weights = source.frozen("stream.refresh");
        if (weights == stream.model()) return false;
        stream.take_weights(std::move(weights));
        return true;
      } else {
        LF_FAIL("[stream.refresh] the model computes in " << model.dtype());
      }
    });
  });
}

// [rows][state_size].
py::array get_state(const PythonStream& self) {
  check_free(self, "stream.state");
  return self.visit([](auto& stream) -> py::array {
    using T = Element<decltype(stream)>;
    py::array_t<T> state = new_array<T>(Shape{stream.rows(), stream.state_size()});
    for (index r = 0; r < stream.rows(); ++r) {
      stream.get(r, state.mutable_data() + r * stream.state_size());
    }
    return std::move(state);
  });
}

void set_state(PythonStream& self, const py::object& value) {
  check_free(self, "stream.state");
  self.visit([&](auto& stream) {
    using T = Element<decltype(stream)>;
    const py::array_t<T> state = take<T>("stream.state", "state", value);
    check_shape("stream.state", "state", state, Shape{stream.rows(), stream.state_size()});
    for (index r = 0; r < stream.rows(); ++r) {
      stream.set(r, state.data() + r * stream.state_size());
    }
  });
}

// rows: numbers, or None for all.
void reset(PythonStream& self, const std::optional<std::vector<index>>& rows) {
  check_free(self, "stream.reset");
  self.visit([&](auto& stream) {
    if (!rows) return stream.reset();
    for (const index row : *rows) {
      LF_CHECK(row >= 0 && row < stream.rows(), "[stream.reset] rows has "
                                                    << row << "; expected numbers from 0 to "
                                                    << stream.rows() - 1);
    }
    for (const index row : *rows) stream.reset(row);
  });
}

// For each port its shape, the bound of its ids and whether it has steps.
py::list inputs(const PythonStream& self) {
  return self.visit([](auto& stream) {
    py::list out;
    for (index k = 0; k < stream.inputs(); ++k) {
      out.append(py::make_tuple(stream.in_shape(k), stream.ids(k), stream.in_steps(k)));
    }
    return out;
  });
}

const char* dtype(const PythonStream& self) { return self.dtype(); }

py::list outputs(const PythonStream& self) {
  return self.visit([](auto& stream) {
    py::list out;
    for (index k = 0; k < stream.outputs(); ++k) {
      out.append(py::make_tuple(stream.out_shape(k), stream.out_steps(k)));
    }
    return out;
  });
}

constexpr const char* kStepDoc =
    "step($self, x, out=None)\n--\n\n"
    R"(Return the outputs of one step.

Parameters
----------
x : array_like
    (batch, *sample): the step of each row, without an axis of steps; ids (batch,) where the model
    takes ids. A single row may come without its axis. Of several inputs a list.
out : numpy.ndarray, optional
    Where to write y, which is then returned. Of several outputs a list.

Arrays of the model's dtype (ids: int32) in C order are used as they are; others are converted
first, which takes longer than a small step.

Returns
-------
numpy.ndarray
    (batch, *output); of an output without steps, as that of ``LSTM(4)``, the one after all steps so
    far. Of several outputs a list.
)";

constexpr const char* kProcessDoc =
    "process($self, block, out=None)\n--\n\n"
    R"(Return the outputs of several steps.

Parameters
----------
block : array_like
    (batch, T, *sample), or without the axis of a single row. Of several inputs a list.
out : numpy.ndarray, optional
    Where to write y, which is then returned. It may be the block, and overlaps it in no other way.

Ctrl-C ends the call after the steps that are done, with the state after these.

Returns
-------
numpy.ndarray
    (batch, T, *output), or (batch, *output) of an output without steps.
)";

}  // namespace

void bind_stream(py::module_& module) {
  py::class_<PythonStream> type(module, "Stream", plain_type());
  def_init(type, &make_stream, py::arg("model"), py::arg("rows"), py::arg("release_gil"));
  def_init(type, &copy_stream, py::arg("other"));
  def_call<false>(type, "step", kStepDoc);
  def_call<true>(type, "process", kProcessDoc);
  type.def("_compute", of_initialised(&run_all), py::arg("x"), py::arg("out"), py::arg("block"))
      .def("_take_weights", of_initialised(&refresh), py::arg("model"))
      .def("_get_state", of_initialised(&get_state))
      .def("_set_state", of_initialised(&set_state), py::arg("state"))
      .def("_reset_rows", of_initialised(&reset), py::arg("rows"))
      .def_property_readonly("_rows", of_initialised_stream([](auto& s) { return s.rows(); }))
      .def_property_readonly("dtype", of_initialised(&dtype))
      .def_property_readonly("_inputs", of_initialised(&inputs))
      .def_property_readonly("_outputs", of_initialised(&outputs))
      .def_property_readonly("_state_sizes",
                             of_initialised_stream([](auto& s) { return s.state_sizes(); }));
}

}  // namespace lstmfast::bindings
