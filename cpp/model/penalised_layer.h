// A layer whose outputs cost something: any layer, with a regularizer behind it. Knows no
// particular layer.
#pragma once

#include <memory>

#include "layers/layer.h"
#include "regularizers/regularizer.h"

namespace lstmfast::model {

// The penalty of a batch is divided by its samples, as in Keras, and added to pass.penalty. The
// layer's last activation is never left to the loss, for the penalty is on what comes behind it.
template <class T>
std::unique_ptr<layers::Layer<T>> penalised_layer(
    std::unique_ptr<layers::Layer<T>> layer,
    std::unique_ptr<regularizers::Regularizer<T>> regularizer);

}  // namespace lstmfast::model
