// A model in one safetensors file: logical weights and optimizer slots as tensors, configuration
// and counters as metadata. Knows the names in the file, not the format's bytes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "files/tensor_file.h"
#include "model/model.h"

namespace lstmfast::model {

// Tensors: PATH.NAME ("layers.0.kernel"), and optimizer.SLOT.PATH.NAME. Metadata: model.KEY and
// compile.KEY as in the configurations, state.iterations, state.learning_rate and state.epochs, and
// extra.KEY for the caller's own, of which there may be tensors too. Without the optimizer a file
// has no slots and no state, but says how the model was compiled. Errors as those of
// files::write_tensor_file; std::runtime_error where another thread is training the model.
template <class T>
void save_model(const Model<T>& model, const std::string& path, const base::Texts& extra,
                bool include_optimizer, std::vector<files::TensorData> extra_tensors = {},
                files::Existing existing = files::Existing::replace);

// An open file that says it is a model. Errors as those of files::TensorFile; what the metadata say
// is compared with the tensors before memory is taken for it.
class ModelFile {
 public:
  explicit ModelFile(const std::string& path);

  const std::string& dtype() const { return dtype_; }  // "float32", "float64"
  // As texts, which load() will check; empty: was not compiled.
  const base::Options& compile_config() const { return compile_; }
  const base::Texts& extra() const { return extra_; }

  // The caller's own tensors, named as they were given, and the data of one of them.
  std::vector<files::TensorInfo> extra_tensors() const;
  void copy(const files::TensorInfo& info, void* out) const { file_.copy_bytes(info, out); }

  // T must be dtype()'s. A model saved with its optimizer continues training bit for bit, with
  // `custom` where the configuration wants it; without `compile` only the weights are read.
  template <class T>
  std::unique_ptr<Model<T>> load(bool compile = true, Custom<T> custom = {}) const;

 private:
  files::TensorFile file_;
  base::Options model_, compile_, state_;
  base::Texts extra_;
  std::string dtype_;
};

}  // namespace lstmfast::model
