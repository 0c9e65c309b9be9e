// Functions of the elements of one input, of two, or of one and a number; operations of users' code
// in Python become these.
#include <algorithm>
#include <cmath>

#include "layers/list.h"
#include "layers/rearrangement.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

// y = value of a and b with its slopes by each; where a slope is 0, so is the gradient.
#define LF_FUNCTIONS(F)                                                                            \
  F(add, 2, a + b, T(1), T(1))                                                                     \
  F(subtract, 2, a - b, T(1), T(-1))                                                               \
  F(multiply, 2, a* b, b, a)                                                                       \
  F(divide, 2, a / b, 1 / b, -y / b)                                                               \
  F(power, 2, std::pow(a, b), b == 0 ? T(0) : b * std::pow(a, b - 1),                              \
    a == 0 ? T(0) : y * std::log(a))                                                               \
  F(maximum, 2, a > b || a != a ? a : b, a == b ? T(0.5) : T(y == a), a == b ? T(0.5) : T(y == b)) \
  F(minimum, 2, a < b || a != a ? a : b, a == b ? T(0.5) : T(y == a), a == b ? T(0.5) : T(y == b)) \
  F(at_least, 2, a < b ? b : a, T(!(a < b)), T(a < b))                                             \
  F(at_most, 2, a > b ? b : a, T(!(a > b)), T(a > b))                                              \
  F(greater, 2, T(a > b), T(0), T(0))                                                              \
  F(greater_equal, 2, T(a >= b), T(0), T(0))                                                       \
  F(less, 2, T(a < b), T(0), T(0))                                                                 \
  F(less_equal, 2, T(a <= b), T(0), T(0))                                                          \
  F(equal, 2, T(a == b), T(0), T(0))                                                               \
  F(not_equal, 2, T(a != b), T(0), T(0))                                                           \
  F(keep, 2, a != 0 ? b : T(0), T(0), T(a != 0))                                                   \
  F(arctan2, 2, std::atan2(a, b), b / (a * a + b * b), -a / (a * a + b * b))                       \
  F(absolute, 1, std::abs(a), T((a > 0) - (a < 0)), T(0))                                          \
  F(sqrt, 1, std::sqrt(a), T(0.5) / y, T(0))                                                       \
  F(square, 1, a* a, 2 * a, T(0))                                                                  \
  F(log, 1, std::log(a), 1 / a, T(0))                                                              \
  F(log1p, 1, std::log1p(a), 1 / (1 + a), T(0))                                                    \
  F(expm1, 1, std::expm1(a), y + 1, T(0))                                                          \
  F(sin, 1, std::sin(a), std::cos(a), T(0))                                                        \
  F(cos, 1, std::cos(a), -std::sin(a), T(0))                                                       \
  F(tan, 1, std::tan(a), 1 + y * y, T(0))                                                          \
  F(arcsin, 1, std::asin(a), 1 / std::sqrt(1 - a * a), T(0))                                       \
  F(arccos, 1, std::acos(a), -1 / std::sqrt(1 - a * a), T(0))                                      \
  F(arctan, 1, std::atan(a), 1 / (1 + a * a), T(0))                                                \
  F(sinh, 1, std::sinh(a), std::cosh(a), T(0))                                                     \
  F(cosh, 1, std::cosh(a), std::sinh(a), T(0))                                                     \
  F(erf, 1, std::erf(a), T(1.1283791670955126) * std::exp(-a * a), T(0))                           \
  F(sign, 1, T((a > 0) - (a < 0)), T(0), T(0))                                                     \
  F(floor, 1, std::floor(a), T(0), T(0))                                                           \
  F(ceil, 1, std::ceil(a), T(0), T(0))                                                             \
  F(round, 1, std::nearbyint(a), T(0), T(0))                                                       \
  F(zeros, 1, T(0), T(0), T(0))                                                                    \
  F(ones, 1, T(1), T(0), T(0))                                                                     \
  F(is_nan, 1, T(a != a), T(0), T(0))                                                              \
  F(constant, 1, a, T(0), T(0))

// Elements of both operands; a number has a step of 0.
template <class T>
struct Operands {
  index count;
  const T *a, *b;
  index a_step, b_step;
};

template <class T>
struct Function {
  const char* name;
  int operands;
  void (*forward)(const Operands<T>&, T* y);
  // A null da or db is not wanted.
  void (*backward)(const Operands<T>&, const T* y, const T* dy, T* da, T* db);
};

#define LF_LOOPS(name, operands, value, by_a, by_b)                                     \
  template <class T>                                                                    \
  void name##_forward(const Operands<T>& o, T* to) {                                    \
    for (index i = 0; i < o.count; ++i) {                                               \
      [[maybe_unused]] const T a = o.a[i * o.a_step], b = o.b[i * o.b_step];            \
      to[i] = value;                                                                    \
    }                                                                                   \
  }                                                                                     \
  template <class T>                                                                    \
  void name##_backward(const Operands<T>& o, const T* of, const T* dy, T* da, T* db) {  \
    for (index i = 0; i < o.count; ++i) {                                               \
      [[maybe_unused]] const T a = o.a[i * o.a_step], b = o.b[i * o.b_step], y = of[i]; \
      const T d = dy[i]; /* da may be dy */                                             \
      if (da != nullptr) {                                                              \
        const T slope = by_a;                                                           \
        da[i] = slope == 0 ? T(0) : d * slope;                                          \
      }                                                                                 \
      if (db != nullptr) {                                                              \
        const T slope = by_b;                                                           \
        db[i] = slope == 0 ? T(0) : d * slope;                                          \
      }                                                                                 \
    }                                                                                   \
  }
LF_FUNCTIONS(LF_LOOPS)
#undef LF_LOOPS

template <class T>
const Function<T> kFunctions[] = {
#define LF_ROW(name, operands, ...) {#name, operands, name##_forward<T>, name##_backward<T>},
    LF_FUNCTIONS(LF_ROW)
#undef LF_ROW
};

template <class T>
const Function<T>& function_of(const base::Values& options) {
  const std::string name = options["function"].text();
  return *std::find_if(std::begin(kFunctions<T>), std::end(kFunctions<T>),
                       [&](const Function<T>& each) { return name == each.name; });
}

template <class T>
class Elementwise final : public LayerWith<T, Elementwise<T>> {
 public:
  struct Side {
    Rearrangement map;  // to the output's shape
    base::Slot<T> x, dx;
  };
  struct State : LayerState {
    Side sides[2];
    index count = 0;  // elements of a sample of the output
  };

  explicit Elementwise(const base::Values& options)
      : function_(function_of<T>(options)), with_number_(!options["number"].none()) {
    if (with_number_) number_ = static_cast<T>(options["number"].number());
    number_first_ = options["number_first"].flag();
  }

  InputCount input_count() const override {
    const index inputs = with_number_ ? 1 : function_.operands;
    return {inputs, inputs};
  }
  Shapes output_shapes(const Shapes& inputs) const override {
    return {common_shape(function_.name, inputs)};
  }
  bool masks(index, const std::vector<bool>&) const override { return false; }
  bool keeps_steps(const Shapes& inputs) const override {  // unless one step is for all of another
    return std::all_of(inputs.begin(), inputs.end(), [&](const Shape& input) {
      return input.rank == inputs[0].rank && input.sizes[0] == inputs[0].sizes[0];
    });
  }
  double flops(const Shapes& inputs) const override {
    return 10.0 * static_cast<double>(output_shapes(inputs)[0].count());
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const Shape out = output_shapes(extent.inputs)[0];
    my.count = out.count();
    for (std::size_t i = 0; i < extent.inputs.size(); ++i) {
      Side& side = my.sides[i];
      side.map = stretched(extent.inputs[i], out);
      const index count = side.map.same() ? 0 : extent.batch * my.count;
      side.x = planner.add<T>(count);
      side.dx = planner.add<T>(extent.training ? count : 0);
    }
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    const T* x[2] = {};
    for (std::size_t i = 0; i < in.size(); ++i) {
      const Side& side = my.sides[i];
      if (!side.map.same()) {
        side.map.forward(pass.batch, in[i].values, pass.arena->at(side.x));
      }
      x[i] = values_of(pass, side, in[i]);
    }
    for_parts(pass, my, x, [&](const Operands<T>& part, index begin) {
      function_.forward(part, out[0].values + begin);
    });
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    const T* x[2] = {};
    T* dx[2] = {};
    for (std::size_t i = 0; i < in.size(); ++i) {
      const Side& side = my.sides[i];
      x[i] = values_of(pass, side, in[i]);
      if (in[i].gradient == nullptr) continue;
      dx[i] = side.map.same() ? in[i].gradient : pass.arena->at(side.dx);
    }
    if (with_number_ && number_first_) std::swap(dx[0], dx[1]);
    for_parts(pass, my, x, [&](const Operands<T>& part, index begin) {
      const auto from = [&](T* d) { return d == nullptr ? d : d + begin; };
      function_.backward(part, out[0].values + begin, out[0].gradient + begin, from(dx[0]),
                         from(dx[1]));
    });
    for (std::size_t i = 0; i < in.size(); ++i) {
      const Side& side = my.sides[i];
      if (in[i].gradient == nullptr || side.map.same()) continue;
      side.map.backward(pass.batch, static_cast<const T*>(pass.arena->at(side.dx)), in[i].gradient);
    }
  }

 private:
  static const T* values_of(const Pass<T>& pass, const Side& side, const In<T>& in) {
    return side.map.same() ? in.values : pass.arena->at(side.x);
  }

  // Calls f(operands, first element) for parts of the output, which threads share.
  template <class F>
  void for_parts(const Pass<T>& pass, const State& my, const T* const (&x)[2], F f) const {
    ops::for_shares(pass.batch * my.count, ops::kMathGrain, [&](index begin, index end) {
      const T* const a = x[0] + begin;
      const T* const b = x[1] == nullptr ? &number_ : x[1] + begin;
      const index b_step = x[1] == nullptr ? 0 : 1;
      if (number_first_) {
        f({end - begin, b, a, b_step, 1}, begin);
      } else {
        f({end - begin, a, b, 1, b_step}, begin);
      }
    });
  }

  const Function<T>& function_;
  bool with_number_, number_first_;
  T number_ = 0;
};

}  // namespace

Component elementwise() {
  std::vector<std::string> names;
  for (const Function<float>& each : kFunctions<float>) names.emplace_back(each.name);
  base::OptionTable options = {{base::text("function", base::kRequired, names),
                                base::number("number", base::none()),
                                base::flag("number_first", false)}};
  options.together = [](const base::Values& values) {
    const bool number = !values["number"].none();
    if (number && function_of<float>(values).operands == 1) values.fail("number", "none");
    if (!number && values["number_first"].flag()) values.fail("number_first", "a number");
  };
  return Family::of<Elementwise>(options);
}

}  // namespace lstmfast::layers
