#include "model/runtime.h"

#include <string>

#include "base/check.h"
#include "base/text.h"
#include "kernels/table.h"
#include "ops/plan.h"

namespace lstmfast::model {

void require_isa() {
  const kernels::IsaStatus status = kernels::isa_status();
  if (status == kernels::IsaStatus::ok) {
    // Initialised here, before the first call: after a fork in the middle of the initialisation
    // the child would wait for its end for ever.
    ops::plan();
    return;
  }
  std::string names;
  for (int i = 0; i < kernels::isa_count(); ++i) {
    if (kernels::isa_available(i))
      names += (names.empty() ? "" : ", ") + std::string(kernels::isa_name(i));
  }
  LF_FAIL("[isa] LSTMFAST_ISA is "
          << base::in_quotes(kernels::requested_isa())
          << (status == kernels::IsaStatus::unknown ? ", which is unknown"
                                                    : ", which this CPU lacks")
          << "; expected one of " << names);
}

}  // namespace lstmfast::model
