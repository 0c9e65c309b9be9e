#include "base/spin.h"

namespace lstmfast::base {

SpinPatience& spin_patience() noexcept {
  static SpinPatience patience;
  return patience;
}

}  // namespace lstmfast::base
