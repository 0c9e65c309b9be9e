// One class over the core's two for float and double, for callers that know the element type by
// name only. Knows no class of the core.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace lstmfast::api {

// Shares a C<float> or a C<double>.
template <template <class> class C>
class Any {
 public:
  template <class T>
  explicit Any(std::shared_ptr<C<T>> held) : held_(std::move(held)) {}

  // f(C<T>&)
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit([&](const auto& pointer) -> decltype(auto) { return f(*pointer); }, held_);
  }
  const char* dtype() const { return held_.index() == 0 ? "float32" : "float64"; }

 private:
  std::variant<std::shared_ptr<C<float>>, std::shared_ptr<C<double>>> held_;
};

template <template <class> class C, class T>
T element(const C<T>&);  // names T in unevaluated context

// T of a C<T>.
template <class Held>
using Element = decltype(element(std::declval<Held&>()));

// f(T()) for the T that `dtype` names. Throws std::invalid_argument, which names `op`, unless that
// is "float32" or "float64".
template <class F>
auto with_dtype(const char* op, const std::string& dtype, F f) {
  LF_CHECK(dtype == "float32" || dtype == "float64",
           "[" << op << "] dtype is \"" << dtype << "\"; expected one of \"float32\", \"float64\"");
  return dtype == "float64" ? f(double()) : f(float());
}

}  // namespace lstmfast::api
