#include "model/runtime.h"

#include <string>

#include "base/cache_sizes.h"
#include "base/check.h"
#include "base/text.h"
#include "kernels/table.h"

namespace lstmfast::model {

void require_isa() {
  const kernels::IsaStatus status = kernels::isa_status();
  // Read once, here and not by the first call: a fork that came in the middle of that, in another
  // thread, would leave the child waiting for its end.
  base::cache_sizes();
  if (status == kernels::IsaStatus::ok) return;
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
