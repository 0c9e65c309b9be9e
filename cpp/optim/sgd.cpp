#include "kernels/table.h"
#include "ops/vector.h"
#include "optim/common.h"

namespace lstmfast::optim {
namespace {

// Without momentum p -= rate g. With it velocity = momentum velocity - rate g, and then p +=
// velocity, or with nesterov p += momentum velocity - rate g.
template <class T>
class Sgd final : public Optimizer<T> {
 public:
  Sgd(double learning_rate, double momentum, bool nesterov)
      : Optimizer<T>(learning_rate), momentum_(momentum), nesterov_(nesterov) {}
  const char* name() const override { return "sgd"; }
  int slots() const override { return momentum_ > 0 ? 1 : 0; }
  const char* slot_name(int) const override { return "velocity"; }

  void update(index count, T* parameters, const T* gradients, T* const* slots) const override {
    const T rate = static_cast<T>(this->learning_rate()), momentum = static_cast<T>(momentum_);
    T* velocity = momentum_ > 0 ? slots[0] : nullptr;
    ops::for_shares(count, ops::kStreamGrain, [&](index begin, index end) {
      kernels::table<T>().sgd({end - begin, rate, momentum, nesterov_, parameters + begin,
                               gradients + begin, velocity ? velocity + begin : nullptr});
    });
  }

 private:
  double momentum_;
  bool nesterov_;
};

}  // namespace

template <class T>
std::unique_ptr<Optimizer<T>> make_sgd(const OptimizerOptions& options) {
  return std::make_unique<Sgd<T>>(option(options, "learning_rate", 0.01),
                                  fraction_option(options, "sgd", "momentum", 0.0, true),
                                  option(options, "nesterov", 0.0) != 0);
}
LF_OPTIMIZER_INSTANTIATE(sgd)

}  // namespace lstmfast::optim
