// The call of a layer on its own.
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "bindings/gil.h"
#include "bindings/numpy.h"
#include "bindings/python_layer.h"
#include "bindings/python_model.h"

namespace lstmfast::bindings {
namespace {

constexpr const char* kOp = "layer.call";

// Whether a port carries what the layer takes there.
template <class T>
void check_elements(const layers::Layer<T>& layer, index k, const layers::In<T>& port,
                    index count) {
  const layers::Elements elements = layer.input_elements(k, {});
  LF_CHECK(!elements.values || port.values != nullptr,
           "[" << kOp << "] input " << k << " has int32 values; expected the layer's dtype");
  if (elements.ids == 0) return;
  LF_CHECK(port.ids != nullptr, "[" << kOp << "] input " << k << " has no ids; expected int32");
  for (index i = 0; i < count; ++i) {
    LF_CHECK(port.ids[i] >= 0 && port.ids[i] < elements.ids,
             "[" << kOp << "] element " << i << " of x is " << port.ids[i]
                 << "; expected ids from 0 to " << elements.ids - 1);
  }
}

template <class T>
py::tuple run(layers::Layer<T>& layer, const py::sequence& inputs, const py::object& masks,
              const std::vector<index>& outputs, layers::Pass<T> pass) {
  LF_CHECK(inputs.size() > 0, "[" << kOp << "] there are no inputs");
  const index most = layer.input_count().most;
  LF_CHECK(static_cast<index>(inputs.size()) <= most,
           "[" << kOp << "] got " << inputs.size() << " inputs; expected at most " << most);
  LF_CHECK(masks.is_none() || py::len(masks) == inputs.size(),
           "[" << kOp << "] there are " << py::len(masks) << " masks; expected one for each input");
  const Inputs<T> given(kOp, inputs);
  pass.batch = given.examples.in.count;
  std::vector<layers::In<T>> in;
  layers::Shapes shapes;
  std::vector<std::vector<unsigned char>> mask_copies(inputs.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const model::InputArray<T>& input = given.examples.in.inputs[k];
    layers::In<T>& port = in.emplace_back();
    port.values = input.values;
    port.ids = input.ids;
    port.mask = input.mask;
    shapes.push_back(input.shape);
    check_elements(layer, static_cast<index>(k), port, pass.batch * input.shape.count());
    if (masks.is_none() || py::object(masks[py::int_(k)]).is_none()) continue;
    const auto mask = take<bool>(kOp, "mask", masks[py::int_(k)]);
    LF_CHECK(input.ids == nullptr || layer.takes_masked_ids(),
             "[" << kOp << "] mask is given; expected None, for ids go to other layers than "
                 << "Embedding");
    layers::Shape expected{pass.batch};
    const int axes = input.shape.rank - (input.ids == nullptr ? 1 : 0);
    for (int i = 0; i < axes; ++i) expected.append(input.shape.sizes[i]);
    check_shape(kOp, "mask", mask, expected);
    // A copy: steps are counted by it and then placed, and the caller's array may change meanwhile.
    mask_copies[k].assign(mask.data(), mask.data() + mask.size());
    port.mask = mask_copies[k].data();
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
             "[" << kOp << "] there is no output " << k);
    want(static_cast<std::size_t>(k));
    results.append(arrays[static_cast<std::size_t>(k)]);
  }
  std::vector<unsigned char> mask;
  may_release(layer.flops(shapes) * static_cast<double>(pass.batch),
              [&] { model::call_layer(layer, pass, shapes, in, out, mask); });
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

py::tuple call_layer(const AnyLayer& self, const py::sequence& inputs, const py::object& masks,
                     const std::vector<index>& outputs, bool training, std::uint64_t seed,
                     std::uint64_t step) {
  return self.visit([&](auto& layer) {
    layers::Pass<Element<decltype(layer)>> pass;
    pass.training = training;
    pass.seed = seed;
    pass.step = step;
    return run(layer, inputs, masks, outputs, pass);
  });
}

}  // namespace

void bind_layer_call(py::class_<AnyLayer>& layer) {
  layer.def("call", &call_layer, py::arg("inputs"), py::kw_only(), py::arg("masks") = py::none(),
            py::arg("outputs") = std::vector<index>{0}, py::arg("training") = false,
            py::arg("seed") = 0, py::arg("step") = 0);
}

}  // namespace lstmfast::bindings
