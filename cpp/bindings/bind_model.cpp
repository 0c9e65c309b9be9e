// class Model: what computes in lstmfast.models.Model. The methods that train it, and those that
// save and load it, have files of their own.
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/fast_method.h"
#include "bindings/gil.h"
#include "bindings/hooks.h"
#include "bindings/init.h"
#include "bindings/python_model.h"
#include "bindings/values.h"
#include "model/decoding.h"
#include "model/generate.h"

namespace lstmfast::bindings {
namespace {

std::unique_ptr<PythonModel> make_model(const api::AnyLayer& graph) {
  return std::make_unique<PythonModel>(api::make_model(graph));
}

constexpr const char* kPredict = "model.predict";

template <class T>
std::vector<py::array_t<T>> run_predict(const model::Model<T>& model,
                                        const model::Samples<T>& samples, index batch_size,
                                        const std::vector<unsigned char*>& masks = {}) {
  std::vector<py::array_t<T>> out;
  std::vector<T*> pointers;
  const auto shapes = model.shapes(kPredict, samples);
  for (const layers::Shape& shape : shapes->outputs) {
    out.push_back(new_array<T>(shape.with_batch(samples.count)));
    pointers.push_back(out.back().mutable_data());
  }
  Hooks hooks;
  may_release(model.flops(kPredict, samples),
              [&] { model.predict(samples, batch_size, pointers, hooks.callbacks(), masks); });
  return out;
}

py::object predict(PythonModel& self, py::handle x, py::handle batch_size) {
  const index size = whole_number(batch_size);
  return self.visit([&](auto& model) -> py::object {
    using T = Element<decltype(model)>;
    const Inputs<T> data(kPredict, x.cast<py::sequence>());
    py::list out;
    for (auto& array : run_predict<T>(model, data.examples.in, size)) out.append(std::move(array));
    return out;
  });
}

// The outputs, and the mask of each, None where it has none, for samples with masks.
py::tuple predict_masked(PythonModel& self, const py::sequence& x, index batch_size) {
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const Inputs<T> data(kPredict, x);
    const model::Samples<T>& samples = data.examples.in;
    std::vector<bool> masked;
    for (const auto& input : samples.inputs) masked.push_back(input.mask != nullptr);
    const std::vector<bool> has_mask = model.definition().graph->masked_outputs(masked);
    const auto shapes = model.shapes(kPredict, samples);
    std::vector<unsigned char*> pointers(has_mask.size());
    py::list outputs, masks;
    for (std::size_t k = 0; k < has_mask.size(); ++k) {
      masks.append(py::none());
      if (!has_mask[k]) continue;
      std::vector<index> sizes = shapes->outputs[k].with_batch(samples.count);
      sizes.pop_back();
      auto mask = new_array<bool>(sizes);
      pointers[k] = reinterpret_cast<unsigned char*>(mask.mutable_data());
      masks[k] = std::move(mask);
    }
    for (auto& array : run_predict<T>(model, samples, batch_size, pointers)) {
      outputs.append(std::move(array));
    }
    return py::make_tuple(std::move(outputs), std::move(masks));
  });
}

// Best sequences (N, length), of values (N, length, features), and their scores (N,); those of
// values are 0.
py::tuple decode(PythonModel& self, const PythonModel& decoder, const py::sequence& x,
                 index batch_size, index length, index beams, double length_penalty, double start,
                 std::optional<index> stop, std::optional<index> padding) {
  return self.visit([&](auto& encoder) {
    using T = Element<decltype(encoder)>;
    const char* const op = "model.decode";
    return decoder.visit([&](auto& other) -> py::tuple {
      if constexpr (!std::is_same_v<Element<decltype(other)>, T>) {
        throw py::value_error(std::string("[") + op + "] the decoder has another dtype");
      } else {
        const Inputs<T> data(op, x);
        const index count = data.examples.in.count;
        model::DecodingOptions options{length, beams, length_penalty, start};
        options.stop = static_cast<std::int32_t>(stop.value_or(model::kNoToken));
        options.padding = static_cast<std::int32_t>(padding.value_or(model::kNoToken));
        const layers::Shape step = model::step_shape(other);
        py::array_t<double> scores(count);
        std::fill_n(scores.mutable_data(), count, 0.0);
        model::Decoded<T> out;
        out.scores = scores.mutable_data();
        std::vector<index> shape{count, length};
        shape.insert(shape.end(), step.begin(), step.end());
        py::array sequences;
        const auto allocate = [&](auto*& pointer) {
          auto made = new_array<std::remove_reference_t<decltype(*pointer)>>(shape);
          pointer = made.mutable_data();
          sequences = std::move(made);
        };
        step.rank == 0 ? allocate(out.ids) : allocate(out.values);
        may_release(kReleaseFlops, [&] {
          model::decode(encoder, other, data.examples.in, batch_size, options, out);
        });
        return py::make_tuple(sequences, scores);
      }
    });
  });
}

// prompt: ids [all steps] or values [all steps][features], the prompts one after the other.
py::object generate(PythonModel& self, const py::object& prompt, std::vector<index> lengths,
                    const base::Options& options) {
  const char* const op = "model.generate";
  const model::GenerateOptions read = model::read_generate_options(options);
  return self.visit([&](auto& model) -> py::object {
    using T = Element<decltype(model)>;
    model::Prompts<T> prompts;
    prompts.lengths = std::move(lengths);
    py::array_t<std::int32_t> ids;
    py::array_t<T> values;
    if (py::isinstance<py::array_t<std::int32_t>>(prompt)) {
      ids = take<std::int32_t>(op, "prompt", prompt);
      prompts.ids = ids.data();
    } else {
      values = take<T>(op, "prompt", prompt);
      prompts.values = values.data();
      prompts.features = values.ndim() > 0 ? values.shape(values.ndim() - 1) : 0;
    }
    const index rows = static_cast<index>(prompts.lengths.size());
    model::Generator<T> generator(model, read, prompts);
    const auto run = [&](std::int32_t* made_ids, T* made_values) {
      may_release(generator.flops(), [&] { generator.run(made_ids, made_values); });
    };
    if (generator.makes_ids()) {
      auto out = new_array<std::int32_t>(std::vector<index>{rows, read.length});
      run(out.mutable_data(), nullptr);
      return std::move(out);
    }
    auto out = new_array<T>(std::vector<index>{rows, read.length, generator.width()});
    run(nullptr, out.mutable_data());
    return std::move(out);
  });
}

// Fast path for one input and one output: None unless x is an array that can be read where it lies.
// `batch_size`: where nothing carried on says how many samples go at a time.
py::object call_model(PythonModel& self, py::handle x, py::handle batch_size) {
  const index size = whole_number(batch_size);
  return self.visit([&](auto& model) -> py::object {
    using T = Element<decltype(model)>;
    const layers::Graph<T>& graph = *model.definition().graph;
    if (!is_ready<T>(x) || graph.inputs() != 1 || graph.outputs() != 1) return py::none();
    const auto array = py::reinterpret_borrow<py::array_t<T>>(x);
    if (array.ndim() < 1 || graph.elements(0).ids > 0) return py::none();
    model::Samples<T> samples;
    samples.count = array.shape(0);
    model::InputArray<T>& input = samples.inputs.emplace_back();
    input.values = array.data();
    append_sizes(input.shape, array, 1);
    if (!input.shape.fits(graph.declared_shape(0))) return py::none();
    const index carried = model.carried_rows();
    return std::move(run_predict<T>(model, samples, carried > 0 ? carried : size)[0]);
  });
}

template <class T>
py::list inputs_list(const layers::Graph<T>& graph) {
  py::list out;
  for (index k = 0; k < graph.inputs(); ++k) {
    const layers::Elements elements = graph.elements(k);
    out.append(
        py::make_tuple(graph.declared_shape(k), elements.values, elements.ids > 0, elements.ids));
  }
  return out;
}

template <class T>
layers::Shapes output_shapes(const layers::Graph<T>& graph) {
  layers::Shapes out;
  for (index k = 0; k < graph.outputs(); ++k) out.push_back(graph.output_shape(k));
  return out;
}

// What Python needs to make its own objects of a loaded model.
template <class T>
py::dict structure(const layers::Graph<T>& graph) {
  py::list inputs, layers, nodes, outputs;
  for (const auto& child : graph.children()) layers.append(api::AnyLayer(child.layer));
  for (const auto& node : graph.nodes()) {
    if (node.layer == nullptr) {
      const index k = static_cast<index>(inputs.size());
      inputs.append(py::make_tuple(graph.input_name(k), graph.declared_shape(k)));
      continue;
    }
    py::list values;
    for (const index value : node.inputs) values.append(graph.place_of(value));
    nodes.append(py::make_tuple(node.child, values, node.training));
  }
  for (index k = 0; k < graph.outputs(); ++k) outputs.append(graph.output(k));
  return py::dict(py::arg("inputs") = inputs, py::arg("layers") = layers, py::arg("nodes") = nodes,
                  py::arg("outputs") = outputs, py::arg("batch_size") = graph.batch_size(),
                  py::arg("in_a_row") = graph.in_a_row());
}

// The garbage collector must see what a model holds of Python: a loss may well know its model.
PythonFunctions* functions_of(PyObject* self) {
  auto* const instance = reinterpret_cast<py::detail::instance*>(self);
  const bool made = instance->get_value_and_holder().holder_constructed();
  return made ? &py::cast<PythonModel&>(py::handle(self)).functions : nullptr;
}

void collect_garbage(PyHeapTypeObject* heap_type) {
  PyTypeObject& type = heap_type->ht_type;
  type.tp_flags |= Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = [](PyObject* self, visitproc visit, void* arg) -> int {
    Py_VISIT(Py_TYPE(self));
    const PythonFunctions* const functions = functions_of(self);
    return functions == nullptr ? 0 : functions->visit(visit, arg);
  };
  type.tp_clear = [](PyObject* self) -> int {
    if (PythonFunctions* const functions = functions_of(self)) functions->clear();
    return 0;
  };
}

}  // namespace

void bind_model(py::module_& module) {
  py::class_<PythonModel> model(module, "Model", py::is_final(), plain_type(),
                                py::custom_type_setup(&collect_garbage));
  def_init(model, &make_model, py::arg("graph"));
  const auto property = [&](const char* name, auto f) {
    model.def_property_readonly(name, visiting<PythonModel>(f));
  };
  property("graph", [](auto& model) {
    using T = Element<decltype(model)>;
    return api::AnyLayer(std::shared_ptr<layers::Layer<T>>(model.definition().graph));
  });
  property("compile_config", [](auto& model) -> std::optional<base::Options> {
    const auto training = model.training();
    if (training == nullptr) return std::nullopt;
    return training->config;
  });
  property("stateful", [](auto& model) { return model.is_stateful(); });
  property("draws", [](auto& model) { return model.draws(); });
  property("carried_rows", [](auto& model) { return model.carried_rows(); });
  property("inputs", [](auto& model) { return inputs_list(*model.definition().graph); });
  property("output_shapes", [](auto& model) { return output_shapes(*model.definition().graph); });
  property("structure", [](auto& model) { return structure(*model.definition().graph); });
  // f(), while no other call trains the model or reads its training state.
  const auto alone = [](auto& model, const std::string& op, const py::object& f) {
    const base::BusyGroup busy(model.busy(), op.c_str());
    return call_python(f);
  };
  // masked: which inputs have a mask; empty: none.
  const auto mask_ends = [](auto& model, const std::vector<bool>& masked) {
    return model.definition().graph->mask_ends(masked);
  };
  const auto masked_outputs = [](auto& model, const std::vector<bool>& masked) {
    return model.definition().graph->masked_outputs(masked);
  };
  model
      .def("mask_ends", visiting<PythonModel, const std::vector<bool>&>(mask_ends),
           py::arg("masked") = std::vector<bool>())
      .def("masked_outputs", visiting<PythonModel, const std::vector<bool>&>(masked_outputs),
           py::arg("masked"))
      .def("set_seed", visiting<PythonModel, std::uint64_t>([](auto& model, std::uint64_t seed) {
             model.set_seed(seed);
           }),
           py::arg("seed"))
      .def("predict_masked", &predict_masked, py::arg("x"), py::arg("batch_size"));
  model.def("generate", &generate, py::arg("prompt"), py::arg("lengths"), py::arg("options"))
      .def("reset_states", visiting<PythonModel>([](auto& model) { model.reset_carried(); }))
      .def("release_memory", visiting<PythonModel>([](auto& model) { model.release_memory(); }))
      .def("alone", visiting<PythonModel, const std::string&, const py::object&>(alone),
           py::arg("op"), py::arg("f"))
      .def("decode", &decode, py::arg("decoder"), py::arg("x"), py::kw_only(),
           py::arg("batch_size"), py::arg("length"), py::arg("beams"), py::arg("length_penalty"),
           py::arg("start"), py::arg("stop"), py::arg("padding"));
  def_fast<&call_model>(model, "call", "call($self, x, batch_size, /)\n--\n\n");
  def_fast<&predict>(model, "predict", "predict($self, x, batch_size, /)\n--\n\n");
  bind_training(model);
  bind_files(module, model);
}

}  // namespace lstmfast::bindings
