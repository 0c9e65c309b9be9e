#include "model/model_file.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "base/buffer.h"
#include "base/check.h"
#include "base/text.h"
#include "layers/options.h"

namespace lstmfast::model {
namespace {

constexpr const char* kFormat = "lstmfast.model";
constexpr const char* kVersion = "2";        // always has a digest
constexpr const char* kOldestVersion = "1";  // may have none
constexpr char kOptimizer[] = "optimizer.";
constexpr char kExtra[] = "extra.";
constexpr char kScale[] = "_scale";

bool begins_with(const std::string& text, const char* prefix) { return text.rfind(prefix, 0) == 0; }

void put(files::Metadata& metadata, const std::string& prefix, const base::Texts& entries) {
  for (const auto& [key, value] : entries) metadata[prefix + key] = value;
}

// One tensor of the file: a parameter's weights, or an optimizer's slot for it.
template <class T>
struct Entry {
  std::string name;
  const layers::Parameter* parameter;
  T* flat;
  layers::Parameters<T>* owner;  // of weights
};

// Those of the model's weights, and where `training` is given of its slots. Frozen weights and
// statistics have no slots in files.
template <class T>
std::vector<Entry<T>> entries_of(const Definition<T>& definition, Training<T>* training = nullptr) {
  std::vector<Entry<T>> entries;
  const auto add = [&](const std::string& prefix, const Owned<T>& each,
                       const layers::Parameter& parameter, T* flat) {
    entries.push_back(
        {prefix + each.path + "." + parameter.name, &parameter, flat, each.parameters});
  };
  for (const Owned<T>& each : definition.parameters) {
    for (const layers::Parameter& parameter : each.parameters->list())
      add("", each, parameter, each.parameters->values());
  }
  if (training == nullptr) return entries;
  training->for_slots(definition, [&](const optim::Slot& slot, const Owned<T>& each,
                                      const layers::Parameter& parameter, T* flat) {
    if (flat != nullptr) add(kOptimizer + slot.name + ".", each, parameter, flat);
  });
  return entries;
}

// The type of a weight's tensor, and of those of slots.
template <class T>
files::DType dtype_of(const Entry<T>& entry) {
  if (!entry.parameter->reduced) return files::dtype_of<T>();
  return entry.parameter->reduced.precision == Precision::int8 ? files::DType::i8
                                                               : files::DType::bf16;
}
template <class T>
bool has_scales(const Entry<T>& entry) {
  return entry.parameter->reduced.precision == Precision::int8;
}
template <class T>
std::vector<index> scales_shape(const Entry<T>& entry) {
  return {entry.parameter->layout.columns};
}

// A file holds each layer once, by its path: it cannot say that two paths are one layer.
template <class T>
void check_paths(const Definition<T>& definition) {
  std::set<const void*> seen;
  layers::Layer<T>& graph = *definition.graph;
  layers::for_each_layer(graph, "", [&](const std::string&, const layers::Layer<T>& layer) {
    if (layer.parameters().list().empty()) return;
    LF_CHECK(seen.insert(&layer).second,
             "[model.save] layer " << base::in_quotes(layer.name())
                                   << " stands in several of the models inside; expected one, for "
                                      "a file cannot say that they share it");
  });
}

// reduces: the file is in float32, and kernels become what their parameters are.
template <class T>
void check_entry(const files::TensorFile& file, const Entry<T>& entry, bool reduces) {
  const files::DType dtype = reduces ? files::dtype_of<T>() : dtype_of(entry);
  file.check(entry.name, dtype, entry.parameter->shape);
  if (has_scales(entry) && !reduces)
    file.check(entry.name + kScale, files::DType::f32, scales_shape(entry));
}

// before: of the kernel before, which may have to be the same.
template <class T>
void check_scales(const files::TensorFile& file, const Entry<T>& entry,
                  const std::vector<float>& scales, const std::vector<float>& before) {
  const bool good = std::all_of(scales.begin(), scales.end(),
                                [](float scale) { return scale >= 0 && std::isfinite(scale); });
  const bool same = !entry.parameter->shares_scales || scales == before;
  LF_CHECK(good && same, file.where()
                             << entry.name << kScale
                             << (good ? " differs from that of the kernel before it"
                                      : " has numbers that are no scales")
                             << "; expected " << (good ? "the same" : "finite ones from 0 up"));
}

template <class T>
void read_entries(const files::TensorFile& file, const std::vector<Entry<T>>& entries,
                  bool reduces = false) {
  std::map<layers::Parameters<T>*, std::vector<std::vector<T>>> kernels;
  std::vector<T> logical;
  std::vector<float> scales;  // of the kernel before
  for (const Entry<T>& entry : entries) {
    const ops::ReducedMatrix& matrix = entry.parameter->reduced;
    if (matrix && !reduces) {
      ops::ReducedElements elements = matrix.zeros();
      file.copy_bytes(file.at(entry.name), elements.bytes.data());
      if (has_scales(entry)) {
        file.copy(entry.name + kScale, scales_shape(entry), elements.scales.data());
        check_scales(file, entry, elements.scales, scales);
        scales = elements.scales;
      }
      matrix.pack(elements, entry.owner->reduced() + entry.parameter->block);
      continue;
    }
    logical.resize(static_cast<std::size_t>(entry.parameter->count()));
    file.copy(entry.name, entry.parameter->shape, logical.data());
    if (matrix) {
      kernels[entry.owner].push_back(std::move(logical));
    } else {
      entry.parameter->import_from(logical.data(), entry.flat);
    }
  }
  for (auto& [owner, each] : kernels) owner->reduce(each);
}

// A model's configuration with the kernels of all layers that have any in this precision.
template <class T>
base::Options reduced_config(base::Options config, Precision precision) {
  const Definition<T> definition = read_definition<T>(config);
  layers::Layer<T>& graph = *definition.graph;
  bool any = false;
  layers::for_each_layer(graph, "", [&](const std::string& path, const layers::Layer<T>& layer) {
    if (!layer.reduces()) return;
    config[path + ".precision"] = std::string(layers::name_of(precision));
    any = true;
  });
  LF_CHECK(any, "[model.astype] no layer has kernels that can be in "
                    << layers::name_of(precision) << "; expected recurrent layers or Dense");
  return config;
}

template <class T>
void check_no_others(const files::TensorFile& file, const std::vector<Entry<T>>& entries,
                     bool compiled) {
  std::set<std::string> known;
  for (const Entry<T>& entry : entries) {
    known.insert(entry.name);
    if (has_scales(entry)) known.insert(entry.name + kScale);
  }
  for (const files::TensorInfo& info : file.tensors()) {
    const bool others =
        begins_with(info.name, kExtra) || (!compiled && begins_with(info.name, kOptimizer));
    LF_CHECK(others || known.count(std::string(info.name)) != 0,
             file.where() << "tensor " << base::in_quotes(info.name)
                          << " belongs to no part of the model");
  }
}

template <class T>
void read_state(const base::OptionReader& state, Training<T>& training) {
  constexpr auto kMost = static_cast<index>(kMaxEpochs);
  training.optimizer->set_iterations(
      state.read(base::integer("iterations", base::kRequired, 0, optim::kMaxIterations)).integer());
  training.optimizer->set_learning_rate(
      state.read(base::number("learning_rate", base::kRequired)).number());
  training.epochs = static_cast<std::uint64_t>(
      state.read(base::integer("epochs", base::kRequired, 0, kMost)).integer());
  state.check_all_used();
}

// Calls read(), which reads the file's texts; its errors then name the file.
template <class Read>
auto with_path(const files::TensorFile& file, Read read) {
  try {
    return read();
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(file.where() + error.what());
  }
}

}  // namespace

template <class T>
void save_model(const Model<T>& model, const std::string& path, const base::Texts& extra,
                bool include_optimizer, std::vector<files::TensorData> extra_tensors,
                files::Existing existing, const std::optional<base::Options>& config) {
  const Definition<T>& definition = model.definition();
  check_paths(definition);
  files::Metadata metadata;
  metadata["format"] = kFormat;
  metadata["format_version"] = kVersion;
  put(metadata, "model.", base::to_texts(config ? *config : definition.config()));
  put(metadata, kExtra, extra);
  std::vector<files::TensorData> tensors = std::move(extra_tensors);
  for (files::TensorData& tensor : tensors) tensor.name.insert(0, kExtra);
  std::optional<base::BusyGroup> busy(std::in_place, model.busy(), "model.save",
                                      base::Busy::Kind::reading);
  const std::shared_ptr<Training<T>> training = model.training();
  if (training != nullptr) put(metadata, "compile.", base::to_texts(training->config));
  include_optimizer = include_optimizer && training != nullptr;
  if (include_optimizer) {
    metadata["state.iterations"] = std::to_string(training->optimizer->iterations());
    metadata["state.learning_rate"] = base::number_text(training->optimizer->learning_rate());
    metadata["state.epochs"] = std::to_string(training->epochs);
  }
  const auto entries = entries_of(definition, include_optimizer ? training.get() : nullptr);
  index size = 0;
  for (const Entry<T>& entry : entries) {
    if (!entry.parameter->reduced) size += entry.parameter->count();
  }
  base::Buffer<T> logical(size);
  T* next = logical.data();
  std::deque<ops::ReducedElements> kernels;
  for (const Entry<T>& entry : entries) {
    if (const ops::ReducedMatrix& matrix = entry.parameter->reduced) {
      kernels.push_back(matrix.unpack(entry.owner->reduced() + entry.parameter->block));
      const ops::ReducedElements& kernel = kernels.back();
      tensors.push_back({entry.name, dtype_of(entry), entry.parameter->shape, kernel.bytes.data()});
      if (has_scales(entry))
        tensors.push_back(
            files::tensor_data(entry.name + kScale, scales_shape(entry), kernel.scales.data()));
      continue;
    }
    entry.parameter->export_to(static_cast<const T*>(entry.flat), next);
    tensors.push_back(files::tensor_data<T>(entry.name, entry.parameter->shape, next));
    next += entry.parameter->count();
  }
  busy.reset();  // writing may take long
  files::write_tensor_file(path, tensors, std::move(metadata), existing);
}

ModelFile::ModelFile(const files::Source& source) : file_(source) {
  const base::OptionReader all(base::from_texts(file_.metadata()), "load");
  const std::string format = all.read(base::text("format", "")).text();
  LF_CHECK(format == kFormat, file_.where()
                                  << "not a model of lstmfast: its format is "
                                  << base::in_quotes(format) << "; expected \"" << kFormat << '"');
  const std::string version = all.read(base::text("format_version", "")).text();
  LF_CHECK(version == kVersion || version == kOldestVersion,
           file_.where() << "format_version is " << base::in_quotes(version)
                         << "; expected at most \"" << kVersion
                         << "\" (a newer lstmfast may have written it)");
  LF_CHECK(file_.has_digest() || version == kOldestVersion,
           file_.where() << "the digest is missing, which files of format_version \"" << kVersion
                         << "\" have");
  model_ = all.part("model").entries();
  compile_ = all.part("compile").entries();
  state_ = all.part("state").entries();
  extra_ = base::to_texts(all.part("extra").entries());
  dtype_ = with_path(file_, [this] { return dtype_name_of(model_); });
}

std::vector<files::TensorInfo> ModelFile::extra_tensors() const {
  std::vector<files::TensorInfo> out;
  for (const files::TensorInfo& info : file_.tensors()) {
    if (!begins_with(info.name, kExtra)) continue;
    out.push_back(info);
    out.back().name.erase(0, sizeof(kExtra) - 1);
  }
  return out;
}

template <class T>
Definition<T> ModelFile::definition(Precision precision) const {
  const bool reduces = precision != Precision::full;
  const base::Options config = reduces ? reduced_config<T>(model_, precision) : model_;
  Definition<T> definition = with_path(file_, [&] { return read_definition<T>(config); });
  for (const Entry<T>& entry : entries_of(definition)) check_entry(file_, entry, reduces);
  return definition;
}

template <class T>
std::unique_ptr<Model<T>> ModelFile::load(bool compile, Custom<T> custom,
                                          Precision precision) const {
  auto model = std::make_unique<Model<T>>(definition<T>(precision));
  compile = compile && !compile_.empty();
  if (compile) with_path(file_, [&] { model->compile(compile_, std::move(custom)); });
  const bool resumes = compile && !state_.empty();
  const std::shared_ptr<Training<T>> training = resumes ? model->training() : nullptr;
  if (resumes)
    with_path(file_, [&] { read_state(base::OptionReader(state_, "state"), *training); });
  const std::vector<Entry<T>> entries = entries_of(model->definition(), training.get());
  read_entries(file_, entries, precision != Precision::full);
  check_no_others(file_, entries, compile);
  return model;
}

template <class T>
void ModelFile::restore(Model<T>& model) const {
  const base::BusyGroup busy(model.busy(), "model.restore");
  const std::shared_ptr<Training<T>> training = state_.empty() ? nullptr : model.training();
  const std::vector<Entry<T>> entries = entries_of(model.definition(), training.get());
  for (const Entry<T>& entry : entries) {
    LF_CHECK(!entry.parameter->reduced,
             "[model.restore] the model is in reduced precision; expected float32");
    check_entry(file_, entry, false);
  }
  check_no_others(file_, entries, training != nullptr);
  if (training != nullptr) {
    with_path(file_, [&] { read_state(base::OptionReader(state_, "state"), *training); });
    const base::Value seed = base::OptionReader(compile_, "compile").read(layers::seed_option());
    if (!seed.none()) training->seed = static_cast<std::uint64_t>(seed.integer());
    training->config["seed"] = seed;
  }
  read_entries(file_, entries);
}

template void save_model(const Model<float>&, const std::string&, const base::Texts&, bool,
                         std::vector<files::TensorData>, files::Existing,
                         const std::optional<base::Options>&);
template void save_model(const Model<double>&, const std::string&, const base::Texts&, bool,
                         std::vector<files::TensorData>, files::Existing,
                         const std::optional<base::Options>&);
template Definition<float> ModelFile::definition(Precision) const;
template Definition<double> ModelFile::definition(Precision) const;
template std::unique_ptr<Model<float>> ModelFile::load(bool, Custom<float>, Precision) const;
template std::unique_ptr<Model<double>> ModelFile::load(bool, Custom<double>, Precision) const;
template void ModelFile::restore(Model<float>&) const;
template void ModelFile::restore(Model<double>&) const;

}  // namespace lstmfast::model
