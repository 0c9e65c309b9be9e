#include "losses/common.h"

namespace lstmfast::losses {
namespace {

template <class T>
struct Crossentropy : KernelLoss<T> {
  // `use`: that of probabilities. The kernel of logits is the fused one.
  Crossentropy(std::string name, const base::Values& options, KernelUse<T> use)
      : KernelLoss<T>(std::move(name), options, with_options(options, std::move(use))) {}

  static KernelUse<T> with_options(const base::Values& options, KernelUse<T> use) {
    if (options["from_logits"].flag()) use.kernel = std::exchange(use.fused, nullptr);
    use.parameters = {use.labels ? T(0) : static_cast<T>(options["label_smoothing"].number())};
    return use;
  }
};

// mean of -(t log p + (1 - t) log(1 - p)), p limited to 1e-7 .. 1 - 1e-7; from logits, with p =
// sigmoid(x), no limit is needed.
template <class T>
struct Binary final : Crossentropy<T> {
  explicit Binary(const base::Values& options)
      : Crossentropy<T>("binary_crossentropy", options,
                        {&kernels::Table<T>::binary_crossentropy,
                         {},
                         Per::element,
                         &kernels::Table<T>::sigmoid_crossentropy,
                         Activation::sigmoid}) {}
};

// mean over rows of -sum of t log(p / sum of p), limited to 1e-7 .. 1 - 1e-7; from logits, with p =
// softmax(x), no limit is needed. Sparse: the target is the label of the one column where t is 1.
template <class T>
KernelUse<T> categorical(bool labels) {
  return {&kernels::Table<T>::categorical_crossentropy,
          {},
          Per::row,
          &kernels::Table<T>::softmax_crossentropy,
          Activation::softmax,
          labels};
}

template <class T>
struct Categorical final : Crossentropy<T> {
  explicit Categorical(const base::Values& options)
      : Crossentropy<T>("categorical_crossentropy", options, categorical<T>(false)) {}
};

template <class T>
struct SparseCategorical final : Crossentropy<T> {
  explicit SparseCategorical(const base::Values& options)
      : Crossentropy<T>("sparse_categorical_crossentropy", options, categorical<T>(true)) {}
};

base::Option from_logits() { return base::flag("from_logits", false); }
base::Option smoothing() { return base::number("label_smoothing", 0.0, base::from_to(0, 1)); }

}  // namespace

Component binary_crossentropy() { return kernel_loss<Binary>({from_logits(), smoothing()}); }
Component categorical_crossentropy() {
  return kernel_loss<Categorical>({from_logits(), smoothing()});
}
Component sparse_categorical_crossentropy() {
  return kernel_loss<SparseCategorical>({from_logits()});
}

}  // namespace lstmfast::losses
