#include "losses/custom_loss.h"

#include <utility>

#include "base/check.h"

namespace lstmfast::losses {
namespace {

template <class T>
class FunctionLoss final : public Loss<T> {
 public:
  FunctionLoss(std::string name, LossFunction<T> function)
      : name_(std::move(name)), function_(std::move(function)) {}

  const char* name() const override { return name_.c_str(); }
  bool foreign() const override { return true; }
  index target_columns(index) const override { return kAnyColumns; }
  void check_shapes(const std::vector<index>& prediction,
                    const std::vector<index>& target) const override {
    LF_CHECK(!prediction.empty() && !target.empty(),
             "[" << name_ << "] prediction or target has no axis; expected the batch first");
  }
  double value(const LossBatch<T>& batch) const override { return function_(batch); }

 private:
  std::string name_;
  LossFunction<T> function_;
};

}  // namespace

template <class T>
std::unique_ptr<Loss<T>> make_custom(std::string name, LossFunction<T> function) {
  LF_CHECK(function, "[" << name << "] the loss has no function; expected one");
  return std::make_unique<FunctionLoss<T>>(std::move(name), std::move(function));
}

template std::unique_ptr<Loss<float>> make_custom(std::string, LossFunction<float>);
template std::unique_ptr<Loss<double>> make_custom(std::string, LossFunction<double>);

}  // namespace lstmfast::losses
