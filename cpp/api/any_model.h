// Models of either element type: built from a configuration or read from a file, which name it.
#pragma once

#include <optional>
#include <string>

#include "api/any.h"
#include "model/model.h"
#include "model/model_file.h"
#include "model/trainer.h"

namespace lstmfast::api {

struct AnyModel : Any<model::Model> {
  using Any::Any;
  model::History history;  // of the latest fit, also of one that threw
};

// `dtype`, where it is given, must be the configuration's, if that has one.
AnyModel make_model(base::Options config, const std::optional<std::string>& dtype);

// As ModelFile::load. functions.get<T>(configuration of compile) is a model::Custom<T>.
template <class Functions>
AnyModel load_model(const model::ModelFile& file, bool compile, const Functions& functions) {
  const base::Options& config = file.compile_config();
  if (file.dtype() == "float64") {
    return AnyModel(file.load<double>(compile, functions.template get<double>(config)));
  }
  return AnyModel(file.load<float>(compile, functions.template get<float>(config)));
}

}  // namespace lstmfast::api
