// A loss written in Python, as one of the core's.
//
// Either loss(y_true, y_pred), of arrays, returns (value, gradient), gradient = d value / d y_pred;
// or it is made of operations on tensors, and is called with tensors once for each shape of
// batches. The first call says which: a function that returns no pair for arrays is called with
// tensors.
#pragma once

#include <memory>
#include <string>

#include "bindings/python_functions.h"

namespace lstmfast::bindings {

// `name`: in errors
template <class T>
losses::LossFunction<T> loss_function(std::string name, std::shared_ptr<PythonReference> loss);

}  // namespace lstmfast::bindings
