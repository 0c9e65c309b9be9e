#include "ops/vector.h"
#include "regularizers/common.h"

namespace lstmfast::regularizers {
namespace {

// l1 sum of |x| + l2 sum of x^2; the slope of |x| at 0 is 0
template <class T>
class L1L2 final : public Regularizer<T> {
 public:
  L1L2(double l1, double l2) : l1_(l1), l2_(l2) {}

  bool suits(const std::vector<index>&) const override { return true; }

  double value(const ops::PartLayout& part, const T* block) const override {
    double total = 0;
    for (index p = 0; p < part.panels; ++p) {
      const T* const run = block + part.place(p).first;
      if (l1_ > 0) total += l1_ * ops::sum_of_magnitudes(part.run_length(p), run);
      if (l2_ > 0) total += l2_ * ops::sum_of_squares(part.run_length(p), run);
    }
    return total;
  }

  void add_gradient(const ops::PartLayout& part, const T* block, T scale,
                    T* gradient) const override {
    for (index p = 0; p < part.panels; ++p) {
      const index first = part.place(p).first, n = part.run_length(p);
      if (l1_ > 0) ops::add_signs(n, static_cast<T>(l1_) * scale, block + first, gradient + first);
      if (l2_ > 0) ops::axpy(n, static_cast<T>(2 * l2_) * scale, block + first, gradient + first);
    }
  }

 private:
  double l1_, l2_;
};

}  // namespace

template <class T>
std::unique_ptr<Regularizer<T>> make_l1(const RegularizerOptions& options) {
  return std::make_unique<L1L2<T>>(option(options, "l1", "l1", 0.01), 0);
}
LF_REGULARIZER_INSTANTIATE(l1)

template <class T>
std::unique_ptr<Regularizer<T>> make_l2(const RegularizerOptions& options) {
  return std::make_unique<L1L2<T>>(0, option(options, "l2", "l2", 0.01));
}
LF_REGULARIZER_INSTANTIATE(l2)

template <class T>
std::unique_ptr<Regularizer<T>> make_l1_l2(const RegularizerOptions& options) {
  return std::make_unique<L1L2<T>>(option(options, "l1_l2", "l1", 0),
                                   option(options, "l1_l2", "l2", 0));
}
LF_REGULARIZER_INSTANTIATE(l1_l2)

}  // namespace lstmfast::regularizers
