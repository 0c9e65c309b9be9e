// A model as one safetensors file: logical weights and optimizer slots as tensors, configuration
// and counters as metadata. Knows the names in the file, not the format's bytes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "files/tensor_file.h"
#include "model/model.h"

namespace lstmfast::model {

// Tensors: PATH.NAME ("layers.0.kernel"), and optimizer.SLOT.PATH.NAME. Metadata: model.KEY and
// compile.KEY as in the configurations, state.iterations, state.learning_rate and state.epochs, and
// extra.KEY for the caller's own; a kernel in int8 has PATH.NAME_scale too; extra_tensors are the
// caller's too. Without the optimizer a file has no slots and no state.KEY, but still compile.KEY.
// Throws as files::write_tensor_file does, and std::runtime_error while another thread trains the
// model. `config`: the model's, for callers whose other threads may rename layers meanwhile.
template <class T>
void save_model(const Model<T>& model, const std::string& path, const base::Texts& extra,
                bool include_optimizer, std::vector<files::TensorData> extra_tensors = {},
                files::Existing existing = files::Existing::replace,
                const std::optional<base::Options>& config = std::nullopt);

// An open model file. Throws as files::TensorFile does. The metadata's sizes are compared with the
// tensors before memory is allocated for them.
class ModelFile {
 public:
  explicit ModelFile(const files::Source& source);

  const std::string& dtype() const { return dtype_; }  // "float32", "float64"
  // As texts, which load() checks; empty: the model was not compiled.
  const base::Options& compile_config() const { return compile_; }
  const base::Texts& extra() const { return extra_; }

  // The caller's own tensors, by their given names, and a copy of one's data.
  std::vector<files::TensorInfo> extra_tensors() const;
  void copy(const files::TensorInfo& info, void* out) const { file_.copy_bytes(info, out); }

  // T must be the type that dtype() names. A model saved with its optimizer continues training bit
  // for bit. `custom` has the functions that the configuration names; without `compile` only the
  // weights are read. precision, unless full: that in which the kernels of a file in float32 are
  // held.
  template <class T>
  std::unique_ptr<Model<T>> load(bool compile = true, Custom<T> custom = {},
                                 Precision precision = Precision::full) const;

  // The model without its weights, whose arrays the file has. T as for load().
  template <class T>
  Definition<T> definition(Precision precision = Precision::full) const;

  // Gives a model with the same parameters, compiled with the same optimizer, the weights and where
  // the file has it the state of training. Throws, with nothing changed, where they do not fit.
  template <class T>
  void restore(Model<T>& model) const;

 private:
  files::TensorFile file_;
  base::Options model_, compile_, state_;
  base::Texts extra_;
  std::string dtype_;
};

}  // namespace lstmfast::model
