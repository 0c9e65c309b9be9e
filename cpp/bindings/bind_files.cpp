// The methods of class Model that save and load it, and the writer of other files.
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

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
#include "bindings/python_model.h"
#include "bindings/values.h"
#include "model/model_file.h"

namespace lstmfast::bindings {
namespace {

// NumPy's names of the element types of tensor files, in the order of files::DType.
constexpr const char* kNumpyNames[] = {"bool",  "uint8",  "int8",    "int16",   "uint16", "float16",
                                       "int32", "uint32", "float32", "float64", "int64",  "uint64"};
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

py::tuple load(const Path& path, const py::object& resolve) {
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
    return api::load_model(*file, compile, functions);
  }();
  // By value: without memory for its own entry, pybind11 deletes twice what a std::unique_ptr
  // holds.
  return py::make_tuple(PythonModel(std::move(model), std::move(functions)), file->extra(),
                        extra_tensors(*file));
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

}  // namespace

void bind_files(py::module_& module, py::class_<PythonModel>& model) {
  module.def("write_file", &write_file, py::arg("path"), py::arg("content"),
             py::arg("overwrite") = true);
  model
      .def("save", &save, py::arg("path"), py::arg("extra"), py::arg("include_optimizer"),
           py::arg("tensors") = py::dict(), py::arg("overwrite") = true)
      .def("restore", &restore, py::arg("path"))
      .def_static("load", &load, py::arg("path"), py::arg("resolve") = py::none());
}

}  // namespace lstmfast::bindings
