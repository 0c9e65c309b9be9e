// class Rnn, which lstmfast.LSTM wraps.
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>

#include "bindings/bindings.h"
#include "bindings/fast_method.h"
#include "bindings/gil.h"
#include "bindings/init.h"
#include "bindings/numpy.h"
#include "bindings/python_rnn.h"
#include "bindings/values.h"

namespace lstmfast::bindings {
namespace {

std::unique_ptr<PythonRnn> make_rnn(const base::Options& options, const std::string& dtype,
                                    std::uint64_t seed) {
  return std::make_unique<PythonRnn>(api::make_rnn(options, dtype, seed));
}

template <class T, class U>
void point(model::RnnArray<const U*>& to, const py::array_t<T>& array) {
  if (!array) return;
  to.data = reinterpret_cast<const U*>(array.data());
  append_sizes(to.shape, array);
}

// A state, or its gradients: None, or a tuple of two. `known`: whether it is one of these.
struct Pair {
  py::handle first = Py_None, second = Py_None;
  bool known = true;

  explicit Pair(py::handle pair) {
    if (pair.is_none()) return;
    known = PyTuple_CheckExact(pair.ptr()) && PyTuple_GET_SIZE(pair.ptr()) == 2;
    if (!known) return;
    first = PyTuple_GET_ITEM(pair.ptr(), 0);
    second = PyTuple_GET_ITEM(pair.ptr(), 1);
  }
};

template <class T>
CallArrays<T> arrays_of(Taker& taker, py::handle x, const Pair& state, py::handle lengths,
                        py::handle resets) {
  return {taker.take<T>("x", x),
          taker.optional<T>("h0", state.first),
          taker.optional<T>("c0", state.second),
          taker.optional<index>("lengths", lengths),
          taker.optional<bool>("resets", resets),
          {}};
}

template <class T>
model::RnnInput<T> input_of(const CallArrays<T>& given, bool batch_first) {
  model::RnnInput<T> input;
  input.batch_first = batch_first;
  point(input.x, given.x);
  point(input.h0, given.h0);
  point(input.c0, given.c0);
  point(input.lengths, given.lengths);
  point(input.resets, given.resets);
  return input;
}

// The shapes of what a call returns, and of its gradients.
struct Shapes {
  layers::Shape y, cells, h, c;

  Shapes(const model::RnnOptions& o, const layers::Shape& x, index batch)
      : y(x.with_features(o.directions * o.outputs())),
        cells(x.with_features(o.directions * o.hidden)),
        h(model::state_shape(o, x, batch, o.outputs())),
        c(model::state_shape(o, x, batch, o.hidden)) {}
};

constexpr const char* kForward = "lstm.forward";

template <class T>
py::object run_forward(PythonRnn& self, model::Rnn<T>& rnn, CallArrays<T> given,
                       const py::array_t<T>& out, bool training, bool batch_first, bool draw) {
  const char* const op = kForward;
  const model::RnnInput<T> input = input_of(given, batch_first);
  // Until the arrays are kept, so that backward in another thread does not read others.
  std::optional<base::Busy> busy;
  if (training) busy.emplace(rnn.busy(), op);
  ops::LstmCall<T> call = rnn.check(op, input, given.rows);
  call.noise.draw = draw;

  const Shapes shapes(rnn.options(), input.x.shape, call.batch);
  if (out) {
    LF_CHECK(out.writeable(), "[" << op << "] out is read-only; expected an array to write");
    check_shape(op, "out", out, shapes.y);
    model::check_output<T>(op, input, out.data(), out.size());
  }
  py::array_t<T> y = out ? out : new_array<T>(shapes.y);
  py::array_t<T> h_n = new_array<T>(shapes.h), c_n = new_array<T>(shapes.c);
  call.y = y.mutable_data();
  call.h_n = h_n.mutable_data();
  call.c_n = c_n.mutable_data();
  py::object cells;
  if (rnn.options().cell_states) {
    py::array_t<T> array = new_array<T>(shapes.cells);
    call.cells = array.mutable_data();
    cells = std::move(array);
  }
  if (training) self.release_arrays();  // of an earlier call, whose cache ends here
  may_release(rnn.flops(call.steps, call.batch),
              [&] { training ? rnn.train(call) : rnn.infer(call); });
  if (training) {
    // backward reads y, so it becomes read-only; an array of the caller's stays writable.
    self.keep_arrays(std::move(given), input.x.shape, y, !out);
  }
  py::tuple final = py::make_tuple(std::move(h_n), std::move(c_n));
  if (!cells) return py::make_tuple(std::move(y), std::move(final));
  return py::make_tuple(std::move(y), std::move(final), std::move(cells));
}

// Where an argument is not as it must be, an error if `strict`, else None.
py::object forward(PythonRnn& self, py::handle x, py::handle state, py::handle lengths,
                   py::handle resets, py::handle training, py::handle out, py::handle batch_first,
                   py::handle draw, py::handle strict) {
  const bool rows_first = is_true(batch_first, "batch_first");
  const Pair initial(state);
  if (!initial.known || !is_flag(training)) return py::none();
  return self.visit([&](auto& rnn) -> py::object {
    using T = Element<decltype(rnn)>;
    Taker taker{is_true(strict, "strict") ? kForward : nullptr};
    CallArrays<T> given = arrays_of<T>(taker, x, initial, lengths, resets);
    const py::array_t<T> to = taker.optional<T>("out", out);
    const bool whole = state.is_none() || (given.h0 && given.c0);
    if (!taker.ready || !whole) return py::none();
    return run_forward<T>(self, rnn, std::move(given), to, is_true(training, "training"),
                          rows_first, is_true(draw, "draw"));
  });
}

// Returns by n the gates i, f, g, o and c and h of every step.
py::list trace(const PythonRnn& self, const py::object& x, const py::object& state,
               const py::object& lengths, const py::object& resets, bool batch_first) {
  return self.visit([&](auto& rnn) -> py::list {
    using T = Element<decltype(rnn)>;
    const char* const op = "lstm.trace";
    Taker taker{op};
    CallArrays<T> given = arrays_of<T>(taker, x, Pair(state), lengths, resets);
    const model::RnnInput<T> input = input_of(given, batch_first);
    const ops::LstmCall<T> call = rnn.check(op, input, given.rows);
    const model::RnnOptions& options = rnn.options();
    std::vector<ops::LstmTrace<T>> traces;
    py::list out;
    for (index n = 0; n < options.layers * options.directions; ++n) {
      ops::LstmTrace<T>& of = traces.emplace_back();
      of.row = batch_first ? call.steps : 1;
      of.step = batch_first ? 1 : call.batch;
      py::list arrays;
      for (T** each : {&of.gates[0], &of.gates[1], &of.gates[2], &of.gates[3], &of.c, &of.h}) {
        const index features = each == &of.h ? options.outputs() : options.hidden;
        py::array_t<T> array = new_array<T>(input.x.shape.with_features(features));
        *each = array.mutable_data();
        arrays.append(std::move(array));
      }
      out.append(std::move(arrays));
    }
    may_release(rnn.flops(call.steps, call.batch), [&] { rnn.trace(call, traces); });
    return out;
  });
}

constexpr const char* kBackward = "lstm.backward";

// Gradients for what a call returned; each may be no object.
template <class T>
struct GradientArrays {
  py::array_t<T> dy, dh_n, dc_n, dcells;

  GradientArrays(Taker& taker, py::handle dy_, const Pair& dstate, py::handle dcells_)
      : dy(taker.optional<T>("dy", dy_)),
        dh_n(taker.optional<T>("dh_n", dstate.first)),
        dc_n(taker.optional<T>("dc_n", dstate.second)),
        dcells(taker.optional<T>("dcells", dcells_)) {}
};

// Returns dx and (dh0, dc0).
template <class T>
py::tuple run_backward(PythonRnn& self, model::Rnn<T>& rnn, const GradientArrays<T>& given) {
  const char* const op = kBackward;
  const base::Busy busy(rnn.busy(), op);
  const ops::LstmCall<T>& call = rnn.trained_call(op);
  const Shapes shapes(rnn.options(), self.x_shape, call.batch);
  LF_CHECK(call.cells != nullptr || !given.dcells,
           "[" << op << "] dcells is given; expected None without return_cell_states");
  const auto data = [&](const char* name, const py::array_t<T>& array, const layers::Shape& shape) {
    if (array) check_shape(op, name, array, shape);
    return array ? array.data() : nullptr;
  };
  ops::LstmGradients<T> gradients{};
  gradients.dy = data("dy", given.dy, shapes.y);
  gradients.dh_n = data("dh_n", given.dh_n, shapes.h);
  gradients.dc_n = data("dc_n", given.dc_n, shapes.c);
  gradients.dcells = data("dcells", given.dcells, shapes.cells);
  py::array_t<T> dx = new_array<T>(self.x_shape);
  py::array_t<T> dh0 = new_array<T>(shapes.h), dc0 = new_array<T>(shapes.c);
  gradients.dx = dx.mutable_data();
  gradients.dh0 = dh0.mutable_data();
  gradients.dc0 = dc0.mutable_data();
  const PythonRnn::ReleaseArrays done{self};  // also where it throws: the cache is used up
  may_release(2 * rnn.flops(call.steps, call.batch), [&] { rnn.backward(gradients); });
  return py::make_tuple(std::move(dx), py::make_tuple(std::move(dh0), std::move(dc0)));
}

py::object backward(PythonRnn& self, py::handle dy, py::handle dstate, py::handle dcells,
                    py::handle strict) {
  const Pair last(dstate);
  if (!last.known) return py::none();
  return self.visit([&](auto& rnn) -> py::object {
    Taker taker{is_true(strict, "strict") ? kBackward : nullptr};
    const GradientArrays<Element<decltype(rnn)>> given(taker, dy, last, dcells);
    if (!taker.ready) return py::none();
    return run_backward(self, rnn, given);
  });
}

}  // namespace

void bind_rnn(py::module_& module) {
  py::class_<PythonRnn> rnn(module, "Rnn", py::is_final(), plain_type());
  def_fast<&forward>(rnn, "forward",
                     "forward($self, x, state, lengths, resets, training, out, batch_first, draw, "
                     "strict, /)\n--\n\n");
  def_fast<&backward>(rnn, "backward", "backward($self, dy, dstate, dcells, strict, /)\n--\n\n");
  def_init(rnn, &make_rnn, py::arg("options"), py::arg("dtype"), py::arg("seed"));
  rnn.def("trace", &trace, py::arg("x"), py::arg("state"), py::arg("lengths"), py::arg("resets"),
          py::arg("batch_first"))
      .def_property(
          "training_calls", visiting<PythonRnn>([](auto& rnn) { return rnn.training_calls(); }),
          visiting<PythonRnn, std::uint64_t>([](auto& rnn, auto n) { rnn.set_training_calls(n); }))
      .def("release_memory", [](PythonRnn& self) {
        self.visit([](auto& rnn) { rnn.release_memory(); });
        self.release_arrays();
      });
  bind_parameters(rnn);
}

}  // namespace lstmfast::bindings
