// The engine of lstmfast.LSTM for either element type, with the arrays that its backward will read.
#pragma once

#include <pybind11/numpy.h>

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "model/rnn.h"

namespace lstmfast::bindings {

namespace py = pybind11;

// The arrays that a call reads; what is not given is no object.
template <class T>
struct Given {
  py::array_t<T> x, h0, c0;
  py::array_t<index> lengths;
  py::array_t<bool> resets;
  model::RnnRows rows;  // what backward reads in place of the caller's lengths and resets
};

// The core's object and, after a training call, the arrays that backward will read.
template <class T>
struct Engine {
  model::Rnn<T> rnn;
  std::optional<Given<T>> kept;
  py::object y;
  bool own_y = false;  // y is not the caller's: read-only as long as it is kept
  layers::Shape x_shape;

  explicit Engine(const model::RnnOptions& options) : rnn(options) {}
  ~Engine() { let_go(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  static int& flags_of(const py::object& array) {
    return py::detail::array_proxy(array.ptr())->flags;
  }

  static void set_writable(const py::object& array, bool writable) {
    constexpr int flag = py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
    flags_of(array) = writable ? flags_of(array) | flag : flags_of(array) & ~flag;
  }

  void keep(Given<T> arrays, const layers::Shape& shape, py::object y_, bool own) {
    let_go();
    x_shape = shape;
    kept = std::move(arrays);
    y = std::move(y_);
    own_y = own;
    if (own_y) set_writable(y, false);
  }
  void let_go() {
    if (own_y) set_writable(y, true);
    own_y = false;
    y = py::object();
    kept.reset();
  }
  struct LetGo {
    Engine& engine;
    ~LetGo() { engine.let_go(); }
  };
};

struct AnyRnn {
  std::variant<std::unique_ptr<Engine<float>>, std::unique_ptr<Engine<double>>> engine;

  template <class T>
  explicit AnyRnn(std::unique_ptr<Engine<T>> e) : engine(std::move(e)) {}

  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit([&](const auto& pointer) -> decltype(auto) { return f(*pointer); }, engine);
  }
};

template <class T>
T element(const Engine<T>&);  // names T in unevaluated context

template <class E>
using Element = decltype(element(std::declval<E&>()));

void bind_parameters(py::class_<AnyRnn>& rnn);

}  // namespace lstmfast::bindings
