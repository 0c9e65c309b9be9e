// The methods of class Model that save and load it, and the writer of other files.
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/gil.h"
#include "bindings/numpy.h"
#include "bindings/python_model.h"
#include "bindings/values.h"
#include "model/file_facts.h"
#include "model/model_file.h"

namespace lstmfast::bindings {
namespace {

// NumPy's names of the element types of tensor files, in the order of files::DType; it lacks
// bfloat16, of which it gets the bits.
constexpr const char* kNumpyNames[] = {"bool",    "uint8",  "int8",  "int16",  "uint16",
                                       "float16", "uint16", "int32", "uint32", "float32",
                                       "float64", "int64",  "uint64"};
constexpr int kDTypes = static_cast<int>(files::DType::u64) + 1;
static_assert(std::size(kNumpyNames) == kDTypes);

py::dtype numpy_dtype(files::DType dtype) {
  return py::dtype(kNumpyNames[static_cast<int>(dtype)]);
}

files::DType tensor_dtype(const py::dtype& dtype, const std::string& name) {
  for (int i = 0; i < kDTypes; ++i) {
    if (dtype.equal(py::dtype(kNumpyNames[i]))) return static_cast<files::DType>(i);
  }
  throw py::type_error("[model.save] " + name + " has dtype " + std::string(py::str(dtype)) +
                       ", which model files do not know");
}

using Path = std::filesystem::path;

files::Existing existing(bool overwrite) {
  return overwrite ? files::Existing::replace : files::Existing::refuse;
}

// No other thread may write to `tensors` meanwhile, or they would not match their checksums; arrays
// of callbacks' states are copies.
void save(const PythonModel& self, const Path& path, const base::Texts& extra,
          bool include_optimizer, const std::map<std::string, py::array>& tensors, bool overwrite) {
  std::vector<files::TensorData> data;
  for (const auto& tensor : tensors) {
    const std::string& name = tensor.first;
    const py::array& array = tensor.second;
    data.push_back({name, tensor_dtype(array.dtype(), name), sizes_of(array), array.data()});
    LF_CHECK((array.flags() & py::array::c_style) != 0,
             "[model.save] " << name << " is not contiguous; expected C order");
  }
  self.visit([&](auto& model) {
    // with the GIL, which those who rename a layer hold
    const base::Options config = model.definition().config();
    const WithoutGil release;  // the disk may take long
    const base::Interrupt interrupt(&check_signals);
    model::save_model(model, path.string(), extra, include_optimizer, std::move(data),
                      existing(overwrite), config);
  });
}

// Writes any other file, completely or not at all.
void write_file(const Path& path, const py::bytes& content, bool overwrite) {
  const std::string_view bytes = content;
  const WithoutGil release;
  const base::Interrupt interrupt(&check_signals);
  files::AtomicFile file(path.string(), existing(overwrite));
  file.write(bytes.data(), bytes.size());
  file.commit();
}

py::dict extra_tensors(const model::ModelFile& file) {
  py::dict out;
  for (const files::TensorInfo& info : file.extra_tensors()) {
    py::array array(numpy_dtype(info.dtype), info.shape);
    file.copy(info, array.mutable_data());
    out[py::str(info.name)] = std::move(array);
  }
  return out;
}

py::tuple load(const Path& path, const py::object& resolve, const std::string& precision) {
  std::optional<model::ModelFile> file;
  {
    const WithoutGil release;
    file.emplace(path.string());
  }
  bool compile = true;
  PythonFunctions functions;
  if (!resolve.is_none() && !file->compile_config().empty()) {
    const py::object found =
        call_python(resolve, py::cast(file->compile_config()), py::cast(file->extra()));
    compile = !found.is_none();
    if (compile) {
      const auto [losses, metrics, schedule] =
          found.cast<std::tuple<py::object, py::object, py::object>>();
      functions = PythonFunctions("model.load", losses, metrics, schedule);
    }
  }
  api::AnyModel model = [&] {
    const WithoutGil release;
    return api::load_model(*file, compile, functions, layers::precision_of(precision));
  }();
  // By value: without memory for its own entry, pybind11 deletes twice what a std::unique_ptr
  // holds.
  return py::make_tuple(PythonModel(std::move(model), std::move(functions)), file->extra(),
                        extra_tensors(*file));
}

// model::FileFacts as a dictionary, with the dtype.
py::dict file_facts(const Path& path) {
  const model::ModelFile file(path.string());
  return api::with_dtype("load", file.dtype(), [&](auto zero) {
    const model::FileFacts facts = model::facts_of(file.definition<decltype(zero)>());
    py::list layers, inputs;
    for (const auto& each : facts.layers) {
      layers.append(py::make_tuple(each.name, each.kind, each.output, each.parameters));
    }
    for (const auto& each : facts.inputs) {
      inputs.append(py::make_tuple(each.name, each.shape, each.ids));
    }
    return py::dict(py::arg("dtype") = file.dtype(), py::arg("layers") = layers,
                    py::arg("inputs") = inputs, py::arg("outputs") = facts.outputs,
                    py::arg("parameters") = facts.parameters,
                    py::arg("weight_bytes") = facts.weight_bytes,
                    py::arg("loading_bytes") = facts.loading_bytes,
                    py::arg("cannot_stream") = facts.cannot_stream,
                    py::arg("stream_bytes") = facts.stream_bytes,
                    py::arg("multiply_adds") = facts.multiply_adds);
  });
}

// Gives a model the weights and the state of training in a file; returns what `load` returns too.
py::tuple restore(PythonModel& self, const Path& path) {
  const model::ModelFile file(path.string());
  LF_CHECK(file.dtype() == self.dtype(), "[model.restore] " << path.string() << " holds "
                                                            << file.dtype() << "; expected "
                                                            << self.dtype());
  self.visit([&](auto& model) { file.restore(model); });
  return py::make_tuple(file.extra(), extra_tensors(file));
}

// The training state as other formats hold it: batches done, and for each slot of the optimizer its
// name and an array for each weight that is trained, in the order of users' lists.
py::tuple optimizer_state(const PythonModel& self) {
  constexpr const char* kOp = "model.optimizer_state";
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const base::BusyGroup busy(model.busy(), kOp, base::Busy::Kind::reading);
    auto& training = *model.training(kOp);
    py::dict slots;
    for (const optim::Slot& slot : training.optimizer->slots())
      slots[slot.name.c_str()] = py::list();
    const auto add = [&](const optim::Slot& slot, const auto&, const layers::Parameter& parameter,
                         const T* flat) {
      auto array = new_array<T>(parameter.shape);
      if (flat == nullptr) {
        std::fill_n(array.mutable_data(), array.size(), static_cast<T>(slot.initial));
      } else {
        parameter.export_to(flat, array.mutable_data());
      }
      slots[slot.name.c_str()].template cast<py::list>().append(std::move(array));
    };
    training.for_slots(model.definition(), add);
    return py::make_tuple(training.optimizer->iterations(), slots);
  });
}

// As optimizer_state() returned it; throws with nothing changed where it does not fit.
void set_optimizer_state(PythonModel& self, std::int64_t batches, const py::dict& slots) {
  constexpr const char* kOp = "model.set_optimizer_state";
  self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const base::BusyGroup busy(model.busy(), kOp);
    auto& training = *model.training(kOp);
    LF_CHECK(batches >= 0 && batches <= optim::kMaxIterations, "[" << kOp << "] batches is "
                                                                   << batches << "; expected 0 to "
                                                                   << optim::kMaxIterations);
    std::map<std::string, std::size_t> next;
    std::vector<py::array_t<T>> arrays;
    const auto take_one = [&](const optim::Slot& slot, const auto&,
                              const layers::Parameter& parameter, const T*) {
      const auto given = slots[slot.name.c_str()].template cast<py::list>();
      const std::size_t place = next[slot.name]++;
      LF_CHECK(place < given.size(), "[" << kOp << "] " << slot.name << " has " << given.size()
                                         << " arrays; expected more");
      arrays.push_back(take<T>(kOp, slot.name.c_str(), given[place]));
      check_shape(kOp, slot.name.c_str(), arrays.back(), layers::Shape(parameter.shape));
    };
    training.for_slots(model.definition(), take_one);
    auto array = arrays.begin();
    training.for_slots(model.definition(), [&](const optim::Slot&, const auto&,
                                               const layers::Parameter& parameter, T* flat) {
      if (flat != nullptr) parameter.import_from(array->data(), flat);
      ++array;
    });
    training.optimizer->set_iterations(batches);
  });
}

}  // namespace

void bind_files(py::module_& module, py::class_<PythonModel>& model) {
  module.def("write_file", &write_file, py::arg("path"), py::arg("content"),
             py::arg("overwrite") = true);
  module.def("file_facts", &file_facts, py::arg("path"));
  model
      .def("save", &save, py::arg("path"), py::arg("extra"), py::arg("include_optimizer"),
           py::arg("tensors") = py::dict(), py::arg("overwrite") = true)
      .def("restore", &restore, py::arg("path"))
      .def("optimizer_state", &optimizer_state)
      .def("set_optimizer_state", &set_optimizer_state, py::arg("batches"), py::arg("slots"))
      .def_static("load", &load, py::arg("path"), py::arg("resolve") = py::none(),
                  py::arg("precision") = "float32");
}

}  // namespace lstmfast::bindings
