// The call of a layer on its own.
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "bindings/gil.h"
#include "bindings/numpy.h"
#include "bindings/python_layer.h"
#include "model/model.h"

namespace lstmfast::bindings {
namespace {

// Whether a port carries what the layer takes there.
template <class T>
void check_elements(const char* op, const layers::Layer<T>& layer, index k,
                    const layers::In<T>& port, index count) {
  const layers::Elements elements = layer.input_elements(k, layers::kValues);
  LF_CHECK((elements & layers::kValues) == 0 || port.values != nullptr,
           "[" << op << "] input " << k << " has int32 values; expected the layer's dtype");
  if ((elements & layers::kIds) == 0) return;
  LF_CHECK(port.ids != nullptr, "[" << op << "] input " << k << " has no ids; expected int32");
  const index limit = layer.id_limit(k);
  for (index i = 0; i < count; ++i) {
    LF_CHECK(port.ids[i] >= 0 && port.ids[i] < limit,
             "[" << op << "] element " << i << " of x is " << port.ids[i]
                 << "; expected ids from 0 to " << limit - 1);
  }
}

template <class T>
py::tuple run(layers::Layer<T>& layer, const py::sequence& inputs, const py::object& masks,
              const std::vector<index>& outputs, layers::Pass<T> pass) {
  const char* const op = "layer.call";
  std::vector<py::array> kept;
  std::vector<layers::In<T>> in;
  layers::Shapes shapes;
  std::vector<std::vector<unsigned char>> mask_copies(inputs.size());
  LF_CHECK(static_cast<index>(inputs.size()) <= layer.most_inputs(),
           "[" << op << "] got " << inputs.size() << " inputs; expected at most "
               << layer.most_inputs());
  LF_CHECK(masks.is_none() || py::len(masks) == inputs.size(),
           "[" << op << "] there are " << py::len(masks) << " masks; expected one for each input");
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    layers::In<T>& port = in.emplace_back();
    const py::object item = inputs[k];
    py::array array;
    if (py::isinstance<py::array_t<std::int32_t>>(item)) {
      const auto taken = take<std::int32_t>(op, "x", item);
      port.ids = taken.data();
      array = taken;
    } else {
      const auto taken = take<T>(op, k == 0 ? "x" : "initial_state", item);
      port.values = taken.data();
      array = taken;
    }
    layers::Shape& shape = shapes.emplace_back();
    for (py::ssize_t i = 1; i < array.ndim(); ++i) shape.append(array.shape(i));
    LF_CHECK(array.ndim() >= 1 && (k == 0 || array.shape(0) == pass.batch),
             "[" << op << "] input " << k << " has shape " << shape_of(array).text()
                 << "; expected the batch of the first input first");
    pass.batch = array.shape(0);
    check_elements(op, layer, static_cast<index>(k), port, array.size());
    if (!masks.is_none() && !py::object(masks[py::int_(k)]).is_none()) {
      const auto mask = take<bool>(op, "mask", masks[py::int_(k)]);
      layers::Shape expected{pass.batch};
      for (int i = 0; i + 1 < shape.rank; ++i) expected.append(shape.sizes[i]);
      LF_CHECK(shape_of(mask) == expected, "[" << op << "] mask has shape " << shape_of(mask).text()
                                               << "; expected " << expected.text());
      // A copy: steps are counted by it and then placed, and the caller's array may change
      // meanwhile.
      mask_copies[k].assign(mask.data(), mask.data() + mask.size());
      port.mask = mask_copies[k].data();
    }
    kept.push_back(std::move(array));
  }
  const layers::Shapes out_shapes = layer.connect(shapes);
  model::allocate_parameters(layer);  // under the GIL: another call may be the first, too
  std::vector<layers::Out<T>> out(out_shapes.size());
  std::vector<py::array_t<T>> arrays(out_shapes.size());
  const auto want = [&](std::size_t k) {
    if (out[k].values != nullptr) return;
    arrays[k] = new_array<T>(out_shapes[k].with_batch(pass.batch));
    out[k].values = arrays[k].mutable_data();
  };
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (!layer.optional_output(static_cast<index>(k))) want(k);
  }
  py::list results;
  for (const index k : outputs) {
    LF_CHECK(k >= 0 && k < static_cast<index>(out.size()),
             "[" << op << "] there is no output " << k);
    want(static_cast<std::size_t>(k));
    results.append(arrays[static_cast<std::size_t>(k)]);
  }
  std::vector<unsigned char> mask;
  {
    const MaybeRelease release(layer.flops(shapes) * static_cast<double>(pass.batch));
    model::call_layer(layer, pass, shapes, in, out, mask);
  }
  py::object mask_array = py::none();
  if (!mask.empty()) {
    std::vector<index> sizes = out_shapes[0].with_batch(pass.batch);
    sizes.pop_back();
    auto made = new_array<bool>(sizes);
    std::copy(mask.begin(), mask.end(), made.mutable_data());
    mask_array = std::move(made);
  }
  return py::make_tuple(std::move(results), std::move(mask_array));
}

py::tuple call(const AnyLayer& self, const py::sequence& inputs, const py::object& masks,
               const std::vector<index>& outputs, bool training, std::uint64_t seed,
               std::uint64_t step) {
  LF_CHECK(inputs.size() > 0, "[layer.call] there are no inputs");
  return visit(self, [&](auto& layer) {
    using T = ElementOf<decltype(layer)>;
    layers::Pass<T> pass;
    pass.training = training;
    pass.seed = seed;
    pass.step = step;
    return run<T>(layer, inputs, masks, outputs, pass);
  });
}

}  // namespace

void bind_layer_call(py::class_<AnyLayer>& layer) {
  layer.def("call", &call, py::arg("inputs"), py::kw_only(), py::arg("masks") = py::none(),
            py::arg("outputs") = std::vector<index>{0}, py::arg("training") = false,
            py::arg("seed") = 0, py::arg("step") = 0);
}

}  // namespace lstmfast::bindings
