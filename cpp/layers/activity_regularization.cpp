// ActivityRegularization: passes its input on. What it costs is the layer's output penalty.
#include <cstring>

#include "layers/list.h"

namespace lstmfast::layers {
namespace {

template <class T>
class ActivityRegularization final : public LayerWith<T, ActivityRegularization<T>> {
 public:
  explicit ActivityRegularization(const base::Values&) {}

  Shapes output_shapes(const Shapes& inputs) const override { return inputs; }
  bool keeps_steps(const Shapes&) const override { return true; }

  void run_forward(const Pass<T>& pass, LayerState& my, const Ins<T>& in, Outs<T>& out) const {
    copy(pass, my, in[0].values, out[0].values);
  }
  void run_backward(const Pass<T>& pass, LayerState& my, const Ins<T>& in,
                    const Outs<T>& out) const {
    if (in[0].gradient != nullptr) copy(pass, my, out[0].gradient, in[0].gradient);
  }

 private:
  static void copy(const Pass<T>& pass, const LayerState& my, const T* from, T* to) {
    std::memcpy(to, from, static_cast<std::size_t>(pass.batch * my.shapes[0].count()) * sizeof(T));
  }
};

}  // namespace

Component activity_regularization() { return Family::of<ActivityRegularization>(); }

}  // namespace lstmfast::layers
