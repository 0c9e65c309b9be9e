#include <cmath>

#include "kernels/table.h"
#include "metrics/common.h"

namespace lstmfast::metrics {

// The mean over all elements since reset() of what a loss kernel sums, or the root of that mean.
template <class T>
class MeanError : public Metric<T> {
 public:
  using Kernel = void (*kernels::Table<T>::*)(const kernels::LossRows<T>&);
  explicit MeanError(Kernel kernel, bool root = false) : kernel_(kernel), root_(root) {}

  bool weighs_elements() const override { return true; }
  void accumulate(const MetricBatch<T>& given) override {
    const MetricBatch<T> batch = with_element_rows(given);
    this->add(ops::loss_total<T>(kernels::table<T>().*kernel_, batch),
              counted(batch) * static_cast<double>(batch.columns));
  }

 protected:
  double result() const override {
    const double mean = Metric<T>::result();
    return root_ ? std::sqrt(mean) : mean;
  }

 private:
  Kernel kernel_;
  bool root_;
};

namespace {

template <class T>
struct RootSquared final : MeanError<T> {
  RootSquared() : MeanError<T>(&kernels::Table<T>::mean_squared_error, true) {}
};

}  // namespace

#define ELEMENT_LOSS(kind, alias)                             \
  template <class T>                                          \
  struct Mean_##kind final : MeanError<T> {                   \
    Mean_##kind() : MeanError<T>(&kernels::Table<T>::kind) {} \
  };                                                          \
  Component kind() { return Family::of<Mean_##kind>(); }
#include "kernels/element_losses.def"

Component root_mean_squared_error() { return Family::of<RootSquared>(); }

}  // namespace lstmfast::metrics
