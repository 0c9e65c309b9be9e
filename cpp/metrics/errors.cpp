// Every loss as a metric: the mean of its values over all rows since reset(), or the root of that
// mean.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "losses/loss.h"
#include "metrics/common.h"

namespace lstmfast::metrics {

// The mean is the metric's own, so that it has no reduction.
inline base::OptionTable options_of_loss(const std::string& kind) {
  base::OptionTable out = losses::registry().at(kind).component.options;
  const auto is_reduction = [](const base::Option& each) { return each.name == "reduction"; };
  out.rows.erase(std::remove_if(out.rows.begin(), out.rows.end(), is_reduction), out.rows.end());
  return out;
}

template <class T>
class MeanOfLoss : public Metric<T> {
 public:
  MeanOfLoss(const std::string& kind, const base::Values& options)
      : similarity_(kind == "cosine_similarity") {
    base::Options given = options.all();
    given["reduction"] = "sum";
    loss_ = losses::registry().make<T>(kind, given);
  }

  void suit(const MetricUse& use) override {
    const index wanted = loss_->target_columns(use.columns);
    if (wanted == use.columns) return Metric<T>::suit(use);
    LF_CHECK(use.target_columns == wanted, "[" << use.name << "] target has " << use.target_columns
                                               << " values a row; expected " << wanted
                                               << (loss_->takes_labels() ? ", a label" : ""));
  }
  bool weighs_elements() const override { return loss_->of_elements(); }

  void accumulate(const MetricBatch<T>& given) override {
    const MetricBatch<T> batch = with_element_rows(given);
    if (batch.rows <= 0) return;
    losses::LossBatch<T> all;
    static_cast<kernels::LossRows<T>&>(all) = batch;
    all.prediction_shape = batch.prediction_shape;
    const index samples = batch.prediction_shape.samples;
    const index rows = loss_->of_samples() && samples > 0 ? batch.rows / samples : 1;
    this->add(loss_->value(all), counted(batch) / static_cast<double>(rows));
  }

 protected:
  double result() const override {
    return similarity_ ? -Metric<T>::result() : Metric<T>::result();
  }

 private:
  std::shared_ptr<const losses::Loss<T>> loss_;  // of all copies
  bool similarity_;  // Keras's metric is the similarity, its loss the negative
};

namespace {

template <class T>
struct RootSquared final : MetricWith<T, RootSquared<T>, MeanOfLoss<T>> {
  explicit RootSquared(const base::Values& options)
      : MetricWith<T, RootSquared<T>, MeanOfLoss<T>>("mean_squared_error", options) {}

 protected:
  double result() const override { return std::sqrt(MeanOfLoss<T>::result()); }
};

}  // namespace

#define LOSS(kind, alias)                                                   \
  template <class T>                                                        \
  struct Mean_##kind final : MetricWith<T, Mean_##kind<T>, MeanOfLoss<T>> { \
    explicit Mean_##kind(const base::Values& options)                       \
        : MetricWith<T, Mean_##kind<T>, MeanOfLoss<T>>(#kind, options) {}   \
  };                                                                        \
  Component kind() { return Family::of<Mean_##kind>(options_of_loss(#kind)); }
#include "losses/losses.def"
#undef LOSS

Component root_mean_squared_error() { return Family::of<RootSquared>(); }

}  // namespace lstmfast::metrics
