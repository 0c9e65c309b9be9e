#include "regularizers/regularizer.h"

#include "regularizers/common.h"

namespace lstmfast::regularizers {

const base::Registry<Regularizer>& registry() {
  static const base::Registry<Regularizer> regularizers("regularizer", {
#define REGULARIZER(kind) {#kind, #kind, kind()},
#include "regularizers/regularizers.def"
#undef REGULARIZER
                                                                       });
  return regularizers;
}

}  // namespace lstmfast::regularizers
