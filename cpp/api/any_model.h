// Models of either element type: of a graph, or read from a file, which names it.
#pragma once

#include "api/any.h"
#include "api/any_layer.h"
#include "model/model.h"
#include "model/model_file.h"
#include "model/trainer.h"

namespace lstmfast::api {

struct AnyModel : Any<model::Model> {
  using Any::Any;
  model::History history;  // of the latest fit, also of one that threw
};

// Of a layer that is a graph.
AnyModel make_model(const AnyLayer& graph);

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
