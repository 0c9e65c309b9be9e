// Models and stacks of LSTM layers of either element type: of a graph, of options, or read from a
// file, which names the type.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "api/any_layer.h"
#include "model/model.h"
#include "model/model_file.h"
#include "model/rnn.h"
#include "model/trainer.h"

namespace lstmfast::api {

struct AnyModel : Any<model::Model> {
  using Any::Any;
  model::History history;  // of the latest fit, also of one that threw
};

// Of a layer that is a graph.
inline AnyModel make_model(const AnyLayer& any) {
  return any.visit([](auto& layer) {
    using T = Element<decltype(layer)>;
    auto graph = std::dynamic_pointer_cast<layers::Graph<T>>(layer.shared_from_this());
    LF_CHECK(graph != nullptr, "[model] the layer is no graph");
    return AnyModel(std::make_shared<model::Model<T>>(model::Definition<T>(std::move(graph))));
  });
}

// As ModelFile::load. functions.get<T>(configuration of compile) is a model::Custom<T>.
template <class Functions>
AnyModel load_model(const model::ModelFile& file, bool compile, const Functions& functions,
                    Precision precision = Precision::full) {
  return with_dtype("load", file.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto custom = functions.template get<T>(file.compile_config());
    return AnyModel(
        std::shared_ptr<model::Model<T>>(file.load<T>(compile, std::move(custom), precision)));
  });
}

using AnyRnn = Any<model::Rnn>;

// As read_rnn_options(); `dtype`: "float32" or "float64".
inline AnyRnn make_rnn(const base::Options& options, const std::string& dtype, std::uint64_t seed) {
  return with_dtype("lstm", dtype, [&](auto zero) {
    using Rnn = model::Rnn<decltype(zero)>;
    return AnyRnn(std::make_shared<Rnn>(model::read_rnn_options(options, seed)));
  });
}

}  // namespace lstmfast::api
