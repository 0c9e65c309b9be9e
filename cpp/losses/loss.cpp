#include "losses/loss.h"

#include <algorithm>

#include "base/check.h"
#include "base/shape_text.h"
#include "losses/common.h"

namespace lstmfast::losses {

using base::shape_text;

template <class T>
void Loss<T>::check_shapes(const std::vector<index>& prediction,
                           const std::vector<index>& target) const {
  LF_CHECK(!prediction.empty(),
           "[" << name() << "] prediction has no axis; expected the batch first");
  LF_CHECK(!of_samples() || prediction.size() == 3, "[" << name() << "] prediction has shape "
                                                        << shape_text(prediction)
                                                        << "; expected (batch, steps, channels)");
  const bool has_axis = prediction.size() > 1;  // else one value a row
  const index columns = has_axis ? prediction.back() : 1;
  const index wanted = target_columns(columns);
  const std::vector<index> without_axis(prediction.begin(), prediction.end() - 1);
  std::vector<index> full = without_axis, one = without_axis;
  full.push_back(wanted), one.push_back(1);
  if (target == full || (!has_axis && wanted == 1 && target == prediction)) return;
  if (has_axis && wanted == 1 && target == without_axis) return;
  const std::string expected = (wanted == 1 && has_axis ? shape_text(without_axis) + " or " : "") +
                               shape_text(has_axis ? full : prediction);
  const std::string fail =
      "[" + name() + "] target has shape " + shape_text(target) + "; expected ";
  if (takes_labels()) {
    LF_FAIL(
        fail << expected << ", one label for each row of the prediction " << shape_text(prediction)
             << (target == prediction ? " (for rows of probabilities use categorical_crossentropy)"
                                      : ""));
  }
  if (wanted != columns) {
    LF_FAIL(fail << expected << ", " << wanted << (wanted == 1 ? " value" : " values")
                 << " for each row of the prediction " << shape_text(prediction));
  }
  const bool looks_like_labels = columns != 1 && (target == without_axis || target == one);
  LF_FAIL(fail << shape_text(prediction) << ", the shape of the prediction"
               << (looks_like_labels ? " (for one label a row use sparse_categorical_crossentropy)"
                                     : ""));
}

template <class T>
void Loss<T>::values(const LossBatch<T>& batch, T* out) const {
  const index rows = of_samples() ? batch.rows / std::max<index>(1, batch.prediction_shape.samples)
                                  : 1;  // of a value
  if (rows <= 0) return;
  ops::for_items(batch.rows / rows, rows * batch.columns, [&](index begin, index end) {
    LossBatch<T> one = batch;
    one.rows = rows;
    one.prediction_shape.samples = 1;
    one.weights = nullptr, one.gradient = nullptr;
    for (index i = begin; i < end; ++i) {
      one.prediction = batch.prediction + i * rows * batch.prediction_stride;
      one.target = batch.target + i * rows * batch.target_stride;
      out[i] = static_cast<T>(value(one));
    }
  });
}

const base::Registry<Loss>& registry() {
  static const base::Registry<Loss> losses("loss", {
#define LOSS(kind, alias) {#kind, #alias, kind()},
#include "losses/losses.def"
#undef LOSS
                                                   });
  return losses;
}

template class Loss<float>;
template class Loss<double>;

}  // namespace lstmfast::losses
