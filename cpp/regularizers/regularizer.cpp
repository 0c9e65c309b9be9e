#include "regularizers/regularizer.h"

#include "regularizers/common.h"

namespace lstmfast::regularizers {

std::vector<std::string> regularizer_names() {
  return {
#define REGULARIZER(name) #name,
#include "regularizers/regularizers.def"
#undef REGULARIZER
  };
}

template <class T>
std::unique_ptr<Regularizer<T>> make_regularizer(const std::string& name,
                                                 const RegularizerOptions& options) {
#define REGULARIZER(known) \
  if (name == #known) return make_##known<T>(options);
#include "regularizers/regularizers.def"
#undef REGULARIZER
  std::string known;
  for (const std::string& one : regularizer_names()) known += (known.empty() ? "" : ", ") + one;
  LF_FAIL("[regularizer] unknown regularizer '" << name << "'; known: " << known);
}

template std::unique_ptr<Regularizer<float>> make_regularizer(const std::string&,
                                                              const RegularizerOptions&);
template std::unique_ptr<Regularizer<double>> make_regularizer(const std::string&,
                                                               const RegularizerOptions&);

}  // namespace lstmfast::regularizers
