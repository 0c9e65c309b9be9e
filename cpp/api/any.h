// One class over the core's two for float and double, for callers that know the element type by
// name only. Knows no class of the core.
#pragma once

#include <memory>
#include <utility>
#include <variant>

namespace lstmfast::api {

// Holds a C<float> or a C<double>.
template <template <class> class C>
class Any {
 public:
  template <class T>
  explicit Any(std::unique_ptr<C<T>> held) : held_(std::move(held)) {}

  // f(C<T>&)
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit([&](const auto& pointer) -> decltype(auto) { return f(*pointer); }, held_);
  }

 private:
  std::variant<std::unique_ptr<C<float>>, std::unique_ptr<C<double>>> held_;
};

template <template <class> class C, class T>
T element(const C<T>&);  // names T in unevaluated context

// T of a C<T>.
template <class Held>
using Element = decltype(element(std::declval<Held&>()));

}  // namespace lstmfast::api
