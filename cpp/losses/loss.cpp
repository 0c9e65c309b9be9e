#include "losses/loss.h"

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
  const bool has_axis = prediction.size() > 1;  // else one value a row
  const index columns = has_axis ? prediction.back() : 1;
  const bool labels = columns != 1 && target_columns(columns) == 1;
  const std::vector<index> without_axis(prediction.begin(), prediction.end() - 1);
  std::vector<index> one = without_axis;
  one.push_back(1);
  const std::vector<index>& full = labels ? one : prediction;
  if (target == full) return;
  if (has_axis && (labels || columns == 1) && target == without_axis) return;
  if (labels) {
    LF_FAIL("[" << name() << "] target has shape " << shape_text(target) << "; expected "
                << shape_text(without_axis) << " or " << shape_text(full)
                << ", one label for each row of the prediction " << shape_text(prediction)
                << (target == prediction
                        ? " (for rows of probabilities use categorical_crossentropy)"
                        : ""));
  }
  const bool looks_like_labels = columns != 1 && (target == without_axis || target == one);
  LF_FAIL("[" << name() << "] target has shape " << shape_text(target) << "; expected "
              << shape_text(full) << ", the shape of the prediction"
              << (looks_like_labels ? " (for one label a row use sparse_categorical_crossentropy)"
                                    : ""));
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
