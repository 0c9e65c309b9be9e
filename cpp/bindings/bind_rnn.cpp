// class Rnn: the engine of lstmfast.LSTM.
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>

#include "bindings/any_rnn.h"
#include "bindings/bindings.h"
#include "bindings/fast_method.h"
#include "bindings/gil.h"
#include "bindings/numpy.h"

namespace lstmfast::bindings {
namespace {

// What a call gives out; cells is None where they are no output.
struct Result {
  py::object y, h_n, c_n, cells;
};

std::unique_ptr<AnyRnn> make_rnn(index input_size, index hidden_size, index num_layers,
                                 const base::FlatConfig::Map& options, double dropout,
                                 const std::string& dtype, std::uint64_t seed) {
  const model::RnnOptions all =
      model::read_rnn_options(input_size, hidden_size, num_layers, options, dropout, seed);
  if (dtype == "float32") return std::make_unique<AnyRnn>(std::make_unique<Engine<float>>(all));
  LF_CHECK(dtype == "float64",
           "[lstm] dtype is '" << dtype << "'; expected 'float32' or 'float64'");
  return std::make_unique<AnyRnn>(std::make_unique<Engine<double>>(all));
}

// In place: a shape copied as soon as its sizes are written waits for them one by one.
template <class T, class U>
void point(model::RnnArray<const U*>& to, const py::array_t<T>& array) {
  if (!array) return;
  to.data = reinterpret_cast<const U*>(array.data());
  for (py::ssize_t i = 0; i < array.ndim(); ++i) to.shape.append(array.shape(i));
}

// The arrays that a call reads, held as long as this lives.
template <class T>
struct Given {
  py::array_t<T> x, h0, c0;
  py::array_t<index> lengths;
  py::array_t<bool> resets;
  model::RnnInput<T> input;

  Given(const char* op, py::array_t<T> x_, const py::object& h0_, const py::object& c0_,
        const py::object& lengths_, const py::object& resets_, bool batch_first)
      : x(std::move(x_)),
        h0(take_optional<T>(op, "h0", h0_)),
        c0(take_optional<T>(op, "c0", c0_)),
        lengths(take_optional<index>(op, "lengths", lengths_)),
        resets(take_optional<bool>(op, "resets", resets_)) {
    input.batch_first = batch_first;
    point(input.x, x);
    point(input.h0, h0);
    point(input.c0, c0);
    point(input.lengths, lengths);
    point(input.resets, resets);
  }
};

// Of what a call gives out, and of its gradients.
struct Shapes {
  layers::Shape y, cells, h, c;

  Shapes(const model::RnnOptions& o, const layers::Shape& x, index batch)
      : y(x.with_features(o.directions * o.outputs())),
        cells(x.with_features(o.directions * o.hidden)),
        h{o.layers * o.directions, batch, o.outputs()},
        c{o.layers * o.directions, batch, o.hidden} {}
};

constexpr const char* kForward = "lstm.forward";

template <class T>
Result run_forward(Engine<T>& engine, const py::array_t<T>& x, const py::object& h0,
                   const py::object& c0, const py::object& lengths, const py::object& resets,
                   bool training, const py::object& out, bool batch_first, bool draw) {
  const char* const op = kForward;
  const Given<T> given(op, x, h0, c0, lengths, resets, batch_first);
  // Until the arrays are kept: backward in another thread would miss them.
  std::optional<model::Busy> busy;
  if (training) busy.emplace(engine.rnn.busy(), op);
  ops::LstmCall<T> call = engine.rnn.check(op, given.input);
  call.noise.draw = draw;

  const Shapes shapes(engine.rnn.options(), given.input.x.shape, call.batch);
  py::array_t<T> y =
      out.is_none() ? new_array<T>(shapes.y) : take_output<T>(op, "out", out, shapes.y);
  py::array_t<T> h_n = new_array<T>(shapes.h), c_n = new_array<T>(shapes.c);
  py::object cells = py::none();
  call.y = y.mutable_data();
  call.h_n = h_n.mutable_data();
  call.c_n = c_n.mutable_data();
  if (engine.rnn.options().cell_states) {
    py::array_t<T> array = new_array<T>(shapes.cells);
    call.cells = array.mutable_data();
    cells = std::move(array);
  }
  engine.rnn.check_output(op, call);
  {
    const MaybeRelease release(engine.rnn.flops(call.steps, call.batch));
    if (training) {
      engine.rnn.train(call);
    } else {
      engine.rnn.infer(call);
    }
  }
  if (training) {
    // backward reads y: nobody may write to it by accident. The caller's own array stays as it
    // was.
    engine.keep(py::make_tuple(x, h0, c0, lengths, resets, y), given.input.x.shape,
                out.is_none() ? py::object(y) : py::object());
  }
  return {std::move(y), std::move(h_n), std::move(c_n), std::move(cells)};
}

py::tuple forward(AnyRnn& self, const py::object& x, const py::object& h0, const py::object& c0,
                  const py::object& lengths, const py::object& resets, bool training,
                  const py::object& out, bool batch_first, bool draw) {
  Result r = self.visit([&](auto& engine) {
    using T = Element<decltype(engine)>;
    return run_forward<T>(engine, take<T>(kForward, "x", x), h0, c0, lengths, resets, training, out,
                          batch_first, draw);
  });
  return py::make_tuple(std::move(r.y), std::move(r.h_n), std::move(r.c_n), std::move(r.cells));
}

// The plain call, for which a small batch would not wait: None unless x is a batch as it must be.
py::object call(AnyRnn& self, py::handle x, py::handle training, py::handle batch_first) {
  const py::none none;
  const bool trains = is_true(training, "training");
  const bool rows_first = is_true(batch_first, "batch_first");
  Result r = self.visit([&](auto& engine) -> Result {
    using T = Element<decltype(engine)>;
    if (!is_ready<T>(x)) return {};
    const auto array = py::reinterpret_borrow<py::array_t<T>>(x);
    if (array.ndim() != 3) return {};
    return run_forward<T>(engine, array, none, none, none, none, trains, none, rows_first, true);
  });
  if (!r.y) return py::none();
  py::tuple state = py::make_tuple(std::move(r.h_n), std::move(r.c_n));
  if (r.cells.is_none()) return py::make_tuple(std::move(r.y), std::move(state));
  return py::make_tuple(std::move(r.y), std::move(state), std::move(r.cells));
}

// By n, the gates i, f, g, o and c and h of every step.
py::list trace(const AnyRnn& self, const py::object& x, const py::object& h0, const py::object& c0,
               const py::object& lengths, const py::object& resets, bool batch_first) {
  return self.visit([&](auto& engine) -> py::list {
    using T = Element<decltype(engine)>;
    const char* const op = "lstm.trace";
    const Given<T> given(op, take<T>(op, "x", x), h0, c0, lengths, resets, batch_first);
    const ops::LstmCall<T> call = engine.rnn.check(op, given.input);
    const model::RnnOptions& options = engine.rnn.options();
    const layers::Shape& x_shape = given.input.x.shape;
    const layers::Shape units = x_shape.with_features(options.hidden);
    const layers::Shape outputs = x_shape.with_features(options.outputs());
    std::vector<ops::LstmTrace<T>> traces;
    py::list out;
    for (index n = 0; n < options.layers * options.directions; ++n) {
      py::array_t<T> arrays[] = {new_array<T>(units), new_array<T>(units), new_array<T>(units),
                                 new_array<T>(units), new_array<T>(units), new_array<T>(outputs)};
      const index H = options.hidden, O = options.outputs(), B = call.batch, steps = call.steps;
      traces.push_back({arrays[0].mutable_data(), arrays[1].mutable_data(),
                        arrays[2].mutable_data(), arrays[3].mutable_data(),
                        arrays[4].mutable_data(), batch_first ? steps * H : H,
                        batch_first ? H : B * H, arrays[5].mutable_data(),
                        batch_first ? steps * O : O, batch_first ? O : B * O});
      out.append(py::make_tuple(arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], arrays[5]));
    }
    const MaybeRelease release(engine.rnn.flops(call.steps, call.batch));
    engine.rnn.trace(call, traces);
    return out;
  });
}

// dx and (dh0, dc0).
py::tuple backward(AnyRnn& self, const py::object& dy, const py::object& dh_n,
                   const py::object& dc_n, const py::object& dcells) {
  return self.visit([&](auto& engine) -> py::tuple {
    using T = Element<decltype(engine)>;
    const char* const op = "lstm.backward";
    const model::Busy busy(engine.rnn.busy(), op);
    const ops::LstmCall<T>& call = engine.rnn.trained_call(op);
    const Shapes shapes(engine.rnn.options(), engine.x_shape, call.batch);
    LF_CHECK(call.cells != nullptr || dcells.is_none(),
             "[" << op << "] dcells is given; expected None without return_cell_states");
    const auto checked = [&](const char* name, const py::object& value,
                             const layers::Shape& shape) {
      py::array_t<T> array = take_optional<T>(op, name, value);
      LF_CHECK(!array || shape_of(array) == shape, "[" << op << "] " << name << " has shape "
                                                       << shape_of(array).text() << "; expected "
                                                       << shape.text());
      return array;
    };
    const py::array_t<T> dy_array = checked("dy", dy, shapes.y);
    const py::array_t<T> dh_array = checked("dh_n", dh_n, shapes.h);
    const py::array_t<T> dc_array = checked("dc_n", dc_n, shapes.c);
    const py::array_t<T> dcells_array = checked("dcells", dcells, shapes.cells);
    py::array_t<T> dx = new_array<T>(engine.x_shape);
    py::array_t<T> dh0 = new_array<T>(shapes.h), dc0 = new_array<T>(shapes.c);

    ops::LstmGradients<T> gradients{};
    gradients.dy = dy_array ? dy_array.data() : nullptr;
    gradients.dcells = dcells_array ? dcells_array.data() : nullptr;
    gradients.dh_n = dh_array ? dh_array.data() : nullptr;
    gradients.dc_n = dc_array ? dc_array.data() : nullptr;
    gradients.dx = dx.mutable_data();
    gradients.dh0 = dh0.mutable_data();
    gradients.dc0 = dc0.mutable_data();
    {
      const MaybeRelease release(2 * engine.rnn.flops(call.steps, call.batch));
      engine.rnn.backward(gradients);
    }
    engine.let_go();
    return py::make_tuple(std::move(dx), py::make_tuple(std::move(dh0), std::move(dc0)));
  });
}

// As call().
py::object call_backward(AnyRnn& self, py::handle dy) {
  const py::none none;
  const bool ready =
      self.visit([&](auto& engine) { return is_ready<Element<decltype(engine)>>(dy); });
  if (!ready) return py::none();
  return backward(self, py::reinterpret_borrow<py::object>(dy), none, none, none);
}

}  // namespace

void bind_rnn(py::module_& module) {
  const auto none = py::none();
  py::class_<AnyRnn> rnn(module, "Rnn", py::is_final(), plain_type());
  def_fast<&call>(rnn, "call", "call($self, x, training, batch_first, /)\n--\n\n");
  def_fast<&call_backward>(rnn, "call_backward", "call_backward($self, dy, /)\n--\n\n");
  rnn.def(py::init(&make_rnn), py::arg("input_size"), py::arg("hidden_size"), py::arg("num_layers"),
          py::arg("options"), py::arg("dropout"), py::arg("dtype"), py::arg("seed"))
      .def("forward", &forward, py::arg("x"), py::arg("h0") = none, py::arg("c0") = none,
           py::arg("lengths") = none, py::arg("resets") = none, py::arg("training") = false,
           py::arg("out") = none, py::arg("batch_first") = true, py::arg("draw") = true)
      .def("backward", &backward, py::arg("dy") = none, py::arg("dh_n") = none,
           py::arg("dc_n") = none, py::arg("dcells") = none)
      .def("trace", &trace, py::arg("x"), py::arg("h0") = none, py::arg("c0") = none,
           py::arg("lengths") = none, py::arg("resets") = none, py::arg("batch_first") = true)
      .def_property(
          "training_calls",
          [](const AnyRnn& self) {
            return self.visit([](const auto& engine) { return engine.rnn.training_calls(); });
          },
          [](AnyRnn& self, std::uint64_t calls) {
            self.visit([calls](auto& engine) { engine.rnn.set_training_calls(calls); });
          });
  bind_parameters(rnn);
}

}  // namespace lstmfast::bindings
