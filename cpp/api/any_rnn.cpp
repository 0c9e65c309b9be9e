#include "api/any_rnn.h"

#include <memory>

#include "base/check.h"

namespace lstmfast::api {

AnyRnn make_rnn(const base::Options& options, const std::string& dtype, std::uint64_t seed) {
  const model::RnnOptions all = model::read_rnn_options(options, seed);
  if (dtype == "float32") return AnyRnn(std::make_unique<model::Rnn<float>>(all));
  LF_CHECK(dtype == "float64",
           "[lstm] dtype is '" << dtype << "'; expected 'float32' or 'float64'");
  return AnyRnn(std::make_unique<model::Rnn<double>>(all));
}

}  // namespace lstmfast::api
