#include "api/any_model.h"

#include <memory>

#include "base/check.h"
#include "model/definition.h"

namespace lstmfast::api {

AnyModel make_model(base::Options config, const std::optional<std::string>& dtype) {
  if (dtype) {
    const auto [at, is_new] = config.emplace("dtype", *dtype);
    LF_CHECK(is_new || at->second == *dtype, "[model.config] dtype is "
                                                 << base::shown(at->second) << "; expected "
                                                 << *dtype << " to match the argument");
  }
  if (model::dtype_name_of(config) == "float64") {
    return AnyModel(std::make_unique<model::Model<double>>(model::read_definition<double>(config)));
  }
  return AnyModel(std::make_unique<model::Model<float>>(model::read_definition<float>(config)));
}

}  // namespace lstmfast::api
