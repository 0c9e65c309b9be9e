// Streams of either element type.
#pragma once

#include <memory>

#include "api/any_model.h"
#include "model/stream.h"

namespace lstmfast::api {

using AnyStream = Any<model::Stream>;

// frozen: over a copy of the weights of this moment, which streams of the same weights share; else
// over the model's own, which must not change while the stream runs.
inline AnyStream make_stream(const AnyModel& any, index rows, bool frozen) {
  return any.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    return AnyStream(std::make_shared<model::Stream<T>>(
        frozen ? model.frozen("stream") : model.shared_from_this(), rows));
  });
}

}  // namespace lstmfast::api
