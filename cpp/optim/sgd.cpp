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
  explicit Sgd(const base::Values& options)
      : Optimizer<T>(options),
        momentum_(options["momentum"].number()),
        nesterov_(options["nesterov"].flag()) {}
  int slots() const override { return momentum_ > 0 ? 1 : 0; }
  const char* slot_name(int) const override { return "velocity"; }

  bool moves_without_gradient() const override { return momentum_ > 0; }

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

Component sgd() {
  return Family::of<Sgd>({{learning_rate(0.01), base::number("momentum", 0.0, base::from_to(0, 1)),
                           base::flag("nesterov", false)}});
}

}  // namespace lstmfast::optim
