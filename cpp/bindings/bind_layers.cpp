// The methods of class Model that are about single layers.
#include <pybind11/stl.h>

#include <numeric>
#include <vector>

#include "bindings/gil.h"
#include "bindings/python_model.h"

namespace lstmfast::bindings {
namespace {

const char* const kOp = "layer.call";

// An array [batch][size] for each part that rows carry, and the way to and from the block in which
// the core has them.
template <class T>
class CarriedArrays {
 public:
  CarriedArrays(std::vector<index> sizes, index batch)
      : sizes_(std::move(sizes)),
        batch_(batch),
        block_(static_cast<std::size_t>(batch *
                                        std::accumulate(sizes_.begin(), sizes_.end(), index{0}))) {}

  void read(const py::sequence& arrays) {
    LF_CHECK(arrays.size() == sizes_.size(), "[" << kOp << "] initial_state has " << arrays.size()
                                                 << " arrays; expected " << sizes_.size());
    T* to = block_.data();
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      const py::array_t<T> array = take<T>(kOp, "initial_state", arrays[i]);
      const layers::Shape expected{batch_, sizes_[i]};
      LF_CHECK(shape_of(array) == expected, "[" << kOp << "] initial_state[" << i << "] has shape "
                                                << shape_of(array).text() << "; expected "
                                                << expected.text());
      to = std::copy_n(array.data(), batch_ * sizes_[i], to);
    }
  }
  py::list write() const {
    py::list out;
    const T* from = block_.data();
    for (const index size : sizes_) {
      py::array_t<T> array = new_array<T>(layers::Shape{batch_, size});
      std::copy_n(from, batch_ * size, array.mutable_data());
      from += batch_ * size;
      out.append(std::move(array));
    }
    return out;
  }
  T* data() { return block_.data(); }

 private:
  std::vector<index> sizes_;
  index batch_;
  std::vector<T> block_;
};

// y, then h and c of each LSTM where `states`, then its cell states where `cells`.
py::list call_layer(const PythonModel& self, index layer, const py::object& x,
                    const py::object& mask, const py::object& initial_state, bool states,
                    bool cells, bool training, std::uint64_t seed, std::uint64_t step) {
  return self.visit([&](auto& model) -> py::list {
    using T = Element<decltype(model)>;
    LF_CHECK(layer >= 0 && layer < model.definition().chain.size(),
             "[" << kOp << "] there is no layer " << layer);
    const layers::Layer<T>& called = model.definition().chain.layer(layer);
    const Inputs<T> given(kOp, x);
    const model::Samples<T>& in = given.examples.in;
    const layers::Shape output = model.layer_output_shape(kOp, layer, in.shape);
    layers::Pass<T> pass;
    pass.batch = in.count;
    pass.training = training;
    pass.seed = seed;
    pass.step = step;

    const py::array_t<bool> mask_array = take_optional<bool>(kOp, "mask", mask);
    // A copy: steps are counted by it and then placed, and the caller's array may change meanwhile.
    std::vector<unsigned char> kept_mask;
    if (mask_array) {
      layers::Shape expected{in.count};
      for (int i = 0; i + 1 < in.shape.rank; ++i) expected.append(in.shape.sizes[i]);
      LF_CHECK(shape_of(mask_array) == expected, "[" << kOp << "] mask has shape "
                                                     << shape_of(mask_array).text() << "; expected "
                                                     << expected.text());
      kept_mask.assign(mask_array.data(), mask_array.data() + mask_array.size());
      pass.mask = kept_mask.data();
    }
    CarriedArrays<T> carried(called.carried(), in.count);
    const bool begins = !initial_state.is_none();
    if (begins) carried.read(initial_state);
    std::vector<py::array_t<T>> cell_arrays;
    std::vector<T> cell_block;
    const std::vector<index> sizes = called.carried();
    for (std::size_t i = 1; cells && i < sizes.size(); i += 2) {
      cell_arrays.push_back(new_array<T>(in.shape.with_features(sizes[i]).with_batch(in.count)));
      cell_block.resize(cell_block.size() + static_cast<std::size_t>(cell_arrays.back().size()));
    }
    if (!cell_arrays.empty()) pass.cells = cell_block.data();
    // a stateful layer that is given no state goes on from its own
    const bool own = called.stateful() && !begins;
    if (begins || (states && !own)) pass.carried = carried.data();

    py::array_t<T> y = new_array<T>(output.with_batch(in.count));
    T* const out = y.mutable_data();
    {
      const MaybeRelease release(called.flops(in.shape) * static_cast<double>(in.count));
      model.call_layer(layer, pass, in.shape, in.x, out, own && states ? carried.data() : nullptr);
    }
    py::list results;
    results.append(std::move(y));
    if (states) {
      for (const py::handle array : carried.write()) results.append(array);
    }
    const T* from = cell_block.data();
    for (py::array_t<T>& array : cell_arrays) {
      std::copy_n(from, array.size(), array.mutable_data());
      from += array.size();
      results.append(std::move(array));
    }
    return results;
  });
}

}  // namespace

void bind_layers(py::class_<PythonModel>& model) {
  model
      .def("call_layer", &call_layer, py::arg("layer"), py::arg("x"), py::kw_only(),
           py::arg("mask") = py::none(), py::arg("initial_state") = py::none(),
           py::arg("states") = false, py::arg("cells") = false, py::arg("training") = false,
           py::arg("seed") = 0, py::arg("step") = 0)
      .def_property_readonly("stateful",
                             [](const PythonModel& self) {
                               return self.visit([](auto& model) { return model.carried().any(); });
                             })
      .def_property_readonly(
          "carried_rows",
          [](const PythonModel& self) {
            return self.visit([](auto& model) { return model.carried().rows(); });
          })
      .def(
          "reset_states",
          [](const PythonModel& self, index layer) {
            self.visit([layer](auto& model) { model.reset_carried(layer); });
          },
          py::arg("layer") = -1)
      .def("release_memory",
           [](PythonModel& self) { self.visit([](auto& model) { model.release_memory(); }); });
}

}  // namespace lstmfast::bindings
