// Checks of the arrays of a call of Rnn.
#include <functional>
#include <initializer_list>

#include "base/check.h"
#include "base/shape_text.h"
#include "model/rnn.h"

namespace lstmfast::model {
namespace {

using base::NamedSize;

// Throws unless the array has these axes, of which those without a name are left out.
void check_shape(const char* op, const char* name, const layers::Shape& given,
                 std::initializer_list<NamedSize> axes) {
  layers::Shape expected;
  for (const NamedSize& axis : axes) {
    if (axis.name != nullptr) expected.append(axis.size);
  }
  LF_CHECK(given == expected, "[" << op << "] " << name << " has shape " << given.text()
                                  << "; expected " << base::shape_text(axes));
}

}  // namespace

template <class T>
ops::LstmCall<T> Rnn<T>::check(const char* op, const RnnInput<T>& input, RnnRows& rows) const {
  const layers::Shape& x = input.x.shape;
  const bool one = x.rank == 2, first = input.batch_first || one;
  LF_CHECK(one || x.rank == 3, "[" << op << "] x has shape " << x.text() << "; expected "
                                   << (input.batch_first ? "(B, T, I)" : "(T, B, I)")
                                   << ", or (T, I) for one sequence");
  ops::LstmCall<T> call{};
  call.batch = one ? 1 : x.sizes[first ? 0 : 1];
  call.steps = x.sizes[first && !one ? 1 : 0];
  const index B = call.batch, steps = call.steps, I = options_.input;
  const index D = options_.directions, O = options_.outputs(), H = options_.hidden;
  const NamedSize b{one ? nullptr : "B", B}, t{"T", steps};
  const NamedSize outer = first ? b : t, inner = first ? t : b;
  const auto text = [&] { return base::shape_text({outer, inner, {"I", x.features()}}); };
  LF_CHECK(x.features() == I, "[" << op << "] x has shape " << text() << "; expected I=" << I
                                  << " to match input_size");
  LF_CHECK(steps >= 1, "[" << op << "] x has shape " << text() << "; expected at least one step");

  call.x = input.x.data;
  call.x_row = first ? steps * I : I;
  call.x_step = first ? I : B * I;
  call.y_row = first ? steps * D * O : D * O;
  call.y_step = first ? D * O : B * D * O;
  call.cells_row = first ? steps * D * H : D * H;
  call.cells_step = first ? D * H : B * D * H;

  const NamedSize parts{D > 1 ? "2*L" : "L", options_.layers * D};
  call.h0 = input.h0.data;
  call.c0 = input.c0.data;
  if (call.h0 != nullptr) {
    check_shape(op, "h0", input.h0.shape, {parts, b, {O == H ? "H" : "P", O}});
  }
  if (call.c0 != nullptr) check_shape(op, "c0", input.c0.shape, {parts, b, {"H", H}});

  if (const index* const lengths = input.lengths.data) {
    const layers::Shape& shape = input.lengths.shape;
    LF_CHECK(!one || shape.count() == 1, "[" << op << "] lengths has shape " << shape.text()
                                             << "; expected one length for one sequence");
    if (!one) check_shape(op, "lengths", shape, {b});
    rows.lengths.assign(lengths, lengths + B);
    for (std::size_t row = 0; row < rows.lengths.size(); ++row) {
      const index length = rows.lengths[row];
      LF_CHECK(length >= 0 && length <= steps, "[" << op << "] lengths[" << row << "] is " << length
                                                   << "; expected 0 to T=" << steps);
    }
    call.lengths = rows.lengths.data();
  }
  if (const unsigned char* const resets = input.resets.data) {
    check_shape(op, "resets", input.resets.shape, {outer, inner});
    rows.resets.resize(static_cast<std::size_t>(B * steps));
    unsigned char* to = rows.resets.data();
    for (index row = 0; row < B; ++row)
      for (index k = 0; k < steps; ++k) *to++ = resets[first ? row * steps + k : k * B + row];
    call.resets = rows.resets.data();
  }
  return call;
}

template <class T>
void check_output(const char* op, const RnnInput<T>& input, const T* out, index count) {
  const auto check_apart = [&](const char* name, const auto& array) {
    const void *const begin = array.data, *const end = array.data + array.shape.count();
    const bool overlaps = array.data != nullptr && std::less<>()(begin, out + count) &&
                          std::less<>()(static_cast<const void*>(out), end);
    LF_CHECK(!overlaps,
             "[" << op << "] out shares memory with " << name << "; expected an array of its own");
  };
  check_apart("x", input.x);
  check_apart("h0", input.h0);
  check_apart("c0", input.c0);
  check_apart("lengths", input.lengths);
  check_apart("resets", input.resets);
}

template void check_output(const char*, const RnnInput<float>&, const float*, index);
template void check_output(const char*, const RnnInput<double>&, const double*, index);
template class Rnn<float>;
template class Rnn<double>;

}  // namespace lstmfast::model
