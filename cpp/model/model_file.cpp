#include "model/model_file.h"

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
};

// Those of the model's weights, and where `training` is given of its slots. Frozen weights and
// statistics have no slots in files.
template <class T>
std::vector<Entry<T>> entries_of(const Definition<T>& definition, Training<T>* training = nullptr) {
  std::vector<Entry<T>> entries;
  const auto add = [&](const std::string& prefix, const Owned<T>& each,
                       const layers::Parameter& parameter, T* flat) {
    entries.push_back({prefix + each.path + "." + parameter.name, &parameter, flat});
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

template <class T>
void read_entries(const files::TensorFile& file, const std::vector<Entry<T>>& entries) {
  std::vector<T> logical;
  for (const Entry<T>& entry : entries) {
    logical.resize(static_cast<std::size_t>(entry.parameter->count()));
    file.copy(entry.name, entry.parameter->shape, logical.data());
    entry.parameter->import_from(logical.data(), entry.flat);
  }
}

template <class T>
void check_no_others(const files::TensorFile& file, const std::vector<Entry<T>>& entries,
                     bool compiled) {
  std::set<std::string_view> known;
  for (const Entry<T>& entry : entries) known.insert(entry.name);
  for (const files::TensorInfo& info : file.tensors()) {
    const bool others =
        begins_with(info.name, kExtra) || (!compiled && begins_with(info.name, kOptimizer));
    LF_CHECK(others || known.count(info.name) != 0, file.where()
                                                        << "tensor " << base::in_quotes(info.name)
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
  for (const Entry<T>& entry : entries) size += entry.parameter->count();
  base::Buffer<T> logical(size);
  T* next = logical.data();
  for (const Entry<T>& entry : entries) {
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
Definition<T> ModelFile::definition() const {
  Definition<T> definition = with_path(file_, [this] { return read_definition<T>(model_); });
  for (const Entry<T>& entry : entries_of(definition)) {
    file_.check(entry.name, files::dtype_of<T>(), entry.parameter->shape);
  }
  return definition;
}

template <class T>
std::unique_ptr<Model<T>> ModelFile::load(bool compile, Custom<T> custom) const {
  auto model = std::make_unique<Model<T>>(definition<T>());
  compile = compile && !compile_.empty();
  if (compile) with_path(file_, [&] { model->compile(compile_, std::move(custom)); });
  const bool resumes = compile && !state_.empty();
  const std::shared_ptr<Training<T>> training = resumes ? model->training() : nullptr;
  if (resumes)
    with_path(file_, [&] { read_state(base::OptionReader(state_, "state"), *training); });
  const std::vector<Entry<T>> entries = entries_of(model->definition(), training.get());
  read_entries(file_, entries);
  check_no_others(file_, entries, compile);
  return model;
}

template <class T>
void ModelFile::restore(Model<T>& model) const {
  const base::BusyGroup busy(model.busy(), "model.restore");
  const std::shared_ptr<Training<T>> training = state_.empty() ? nullptr : model.training();
  const std::vector<Entry<T>> entries = entries_of(model.definition(), training.get());
  for (const Entry<T>& entry : entries) {
    file_.check(entry.name, files::dtype_of<T>(), entry.parameter->shape);
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
template Definition<float> ModelFile::definition() const;
template Definition<double> ModelFile::definition() const;
template std::unique_ptr<Model<float>> ModelFile::load(bool, Custom<float>) const;
template std::unique_ptr<Model<double>> ModelFile::load(bool, Custom<double>) const;
template void ModelFile::restore(Model<float>&) const;
template void ModelFile::restore(Model<double>&) const;

}  // namespace lstmfast::model
