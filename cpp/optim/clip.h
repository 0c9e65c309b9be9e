// Limits on gradients before a step, by Keras's formulas, and the check that they are finite. Knows
// no optimizer.
#pragma once

#include <vector>

#include "base/options.h"
#include "base/plain.h"

namespace lstmfast::optim {

// The elements of one parameter inside a flat block: `runs` runs of `run_length` elements,
// `run_stride` apart, and a last one of its own. A run may hold padding, which is zero and so
// counts for nothing.
struct ParameterRuns {
  index first;
  index runs, run_stride, run_length;
  index last_first = 0, last_length = 0;
  bool continues = false;  // these are of the same parameter as the ones before
};

// A part of the flat block that gradients fill.
struct GradientRange {
  index first, count;
};

// At most one is positive; 0 is off.
struct ClipOptions {
  double value = 0;        // each element into -value .. value
  double norm = 0;         // each parameter scaled down to this L2 norm
  double global_norm = 0;  // all parameters together scaled down to this L2 norm
};

// The options of all optimizers that limit gradients, of which one may be given; their keys stand
// below "clip".
const base::OptionTable& clip_options();
ClipOptions read_clip(const base::OptionReader& given);

template <class T>
class Clip {
 public:
  explicit Clip(const ClipOptions& options = {}) : options_(options) {}

  const ClipOptions& options() const { return options_; }

  // Clips the ranges of `gradients` in place and returns true; or, with `check`, leaves them as
  // they are and returns false when one of them is infinite or NaN. Without it, gradients that are
  // not finite give gradients that are not finite. `parameters` is read for `norm` alone.
  bool apply(T* gradients, const std::vector<GradientRange>& ranges,
             const std::vector<ParameterRuns>& parameters, bool check = true) const;

 private:
  ClipOptions options_;
};

}  // namespace lstmfast::optim
