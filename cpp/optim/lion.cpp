#include "optim/common.h"

namespace lstmfast::optim {
namespace {

template <class T>
class Lion final : public Optimizer<T> {
 public:
  explicit Lion(const base::Values& options)
      : Optimizer<T>(options, &kernels::Table<T>::lion, {{"m"}}),
        beta_1_(options["beta_1"].number()),
        beta_2_(options["beta_2"].number()) {}

 private:
  Factors factors() const override {
    return {this->rate(), beta_1_, 1 - beta_1_, beta_2_, 1 - beta_2_};
  }

  double beta_1_, beta_2_;
};

}  // namespace

// With beta_1 = 0 the sign would be that of the gradient alone, so Keras refuses it.
Component lion() {
  return Family::of<Lion>(options(0.001, {base::number("beta_1", 0.9, {0, 1, true, false}),
                                          base::number("beta_2", 0.99, base::from_to(0, 1))}));
}

}  // namespace lstmfast::optim
