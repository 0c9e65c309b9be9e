#include "losses/loss.h"

#include "base/check.h"
#include "base/shape_text.h"
#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// Negative sizes are unknown and fit any size.
bool fits(const std::vector<index>& shape, const std::vector<index>& expected) {
  if (shape.size() != expected.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] >= 0 && expected[i] >= 0 && shape[i] != expected[i]) return false;
  return true;
}

std::string text(const std::vector<index>& shape) {
  return base::shape_text(shape.data(), static_cast<index>(shape.size()));
}

}  // namespace

template <class T>
void Loss<T>::check_shapes(const std::vector<index>& prediction,
                           const std::vector<index>& target) const {
  LF_CHECK(!prediction.empty(),
           "[" << name() << "] prediction has no axis; expected the batch first");
  if (prediction.size() == 1) {  // one value a row without an axis of its own
    LF_CHECK(fits(target, prediction), "[" << name() << "] target has shape " << text(target)
                                           << "; expected " << text(prediction)
                                           << ", the shape of the prediction");
    return;
  }
  const index columns = prediction.back();
  const bool labels = columns != 1 && target_columns(columns) == 1;
  const std::vector<index> without_axis(prediction.begin(), prediction.end() - 1);
  std::vector<index> full = without_axis;
  full.push_back(labels ? 1 : columns);
  if (fits(target, full)) return;
  if ((labels || columns == 1) && fits(target, without_axis)) return;
  if (labels) {
    LF_FAIL("[" << name() << "] target has shape " << text(target) << "; expected "
                << text(without_axis) << " or " << text(full)
                << ", one label for each row of the prediction " << text(prediction)
                << (fits(target, prediction)
                        ? " (for rows of probabilities use categorical_crossentropy)"
                        : ""));
  }
  std::vector<index> one = without_axis;
  one.push_back(1);
  const bool looks_like_labels = columns != 1 && (fits(target, without_axis) || fits(target, one));
  LF_FAIL("[" << name() << "] target has shape " << text(target) << "; expected " << text(full)
              << ", the shape of the prediction"
              << (looks_like_labels ? " (for one label a row use sparse_categorical_crossentropy)"
                                    : ""));
}

template <class T>
void Loss<T>::check_targets(index, index, const T*, index) const {}

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
