// What may be wrong with the arrays of a call of Rnn.
#include <functional>

#include "base/check.h"
#include "base/shape_text.h"
#include "model/rnn.h"

namespace lstmfast::model {
namespace {

using base::shape_text;

// `letters` of the axes.
void check_states(const char* op, const char* name, const layers::Shape& shape,
                  const layers::Shape& expected, const char* const (&letters)[3]) {
  LF_CHECK(shape == expected, "[" << op << "] " << name << " has shape " << shape.text()
                                  << "; expected "
                                  << shape_text({{letters[0], expected.sizes[0]},
                                                 {letters[1], expected.sizes[1]},
                                                 {letters[2], expected.sizes[2]}}));
}

}  // namespace

template <class T>
ops::LstmCall<T> Rnn<T>::check(const char* op, const RnnInput<T>& input) const {
  const layers::Shape& x = input.x.shape;
  const char* const axes = input.batch_first ? "(B, T, I)" : "(T, B, I)";
  LF_CHECK(x.rank == 3, "[" << op << "] x has shape " << x.text() << "; expected " << axes);
  ops::LstmCall<T> call{};
  call.batch = x.sizes[input.batch_first ? 0 : 1];
  call.steps = x.sizes[input.batch_first ? 1 : 0];
  const index B = call.batch, steps = call.steps, I = options_.input;
  const index D = options_.directions, O = options_.outputs(), H = options_.hidden;
  const auto text = [&] {
    const base::NamedSize b{"B", B}, t{"T", steps}, i{"I", x.sizes[2]};
    return input.batch_first ? shape_text({b, t, i}) : shape_text({t, b, i});
  };
  LF_CHECK(x.sizes[2] == I, "[" << op << "] x has shape " << text() << "; expected I=" << I
                                << " to match input_size");
  LF_CHECK(B >= 1 && steps >= 1,
           "[" << op << "] x has shape " << text() << "; expected at least one row and one step");

  call.x = input.x.data;
  call.x_row = input.batch_first ? steps * I : I;
  call.x_step = input.batch_first ? I : B * I;
  call.y_row = input.batch_first ? steps * D * O : D * O;
  call.y_step = input.batch_first ? D * O : B * D * O;
  call.cells_row = input.batch_first ? steps * D * H : D * H;
  call.cells_step = input.batch_first ? D * H : B * D * H;

  const char* const L = D > 1 ? "2*L" : "L";
  if (input.h0.data != nullptr) {
    check_states(op, "h0", input.h0.shape, {options_.layers * D, B, O},
                 {L, "B", O == H ? "H" : "P"});
  }
  if (input.c0.data != nullptr) {
    check_states(op, "c0", input.c0.shape, {options_.layers * D, B, H}, {L, "B", "H"});
  }
  call.h0 = input.h0.data;
  call.c0 = input.c0.data;

  if (input.lengths.data != nullptr) {
    LF_CHECK(input.lengths.shape == layers::Shape{B}, "[" << op << "] lengths has shape "
                                                          << input.lengths.shape.text()
                                                          << "; expected (B=" << B << ")");
    for (index b = 0; b < B; ++b) {
      const index length = input.lengths.data[b];
      LF_CHECK(length >= 0 && length <= steps, "[" << op << "] lengths[" << b << "] is " << length
                                                   << "; expected 0 to T=" << steps);
    }
    call.lengths = input.lengths.data;
  }
  if (input.resets.data != nullptr) {
    const layers::Shape expected{B, steps};
    LF_CHECK(input.resets.shape == expected, "[" << op << "] resets has shape "
                                                 << input.resets.shape.text() << "; expected "
                                                 << shape_text({{"B", B}, {"T", steps}}));
    call.resets = input.resets.data;
  }
  return call;
}

template <class T>
void Rnn<T>::check_output(const char* op, const ops::LstmCall<T>& call) const {
  const index rows = options_.layers * options_.directions * call.batch;
  const T* const y_end =
      call.y + call.steps * call.batch * options_.directions * options_.outputs();
  const auto check_apart = [&](const char* name, const T* data, index count) {
    const bool overlaps =
        data != nullptr && std::less<>()(data, y_end) && std::less<>()(call.y, data + count);
    LF_CHECK(!overlaps,
             "[" << op << "] out shares memory with " << name << "; expected an array of its own");
  };
  check_apart("x", call.x, call.steps * call.batch * options_.input);
  check_apart("h0", call.h0, rows * options_.outputs());
  check_apart("c0", call.c0, rows * options_.hidden);
}

template void Rnn<float>::check_output(const char* op, const ops::LstmCall<float>& call) const;
template void Rnn<double>::check_output(const char* op, const ops::LstmCall<double>& call) const;
template ops::LstmCall<float> Rnn<float>::check(const char* op, const RnnInput<float>& input) const;
template ops::LstmCall<double> Rnn<double>::check(const char* op,
                                                  const RnnInput<double>& input) const;

}  // namespace lstmfast::model
