// Checks of the arrays of a call of Rnn.
#include <functional>

#include "base/check.h"
#include "base/shape_text.h"
#include "model/rnn.h"

namespace lstmfast::model {
namespace {

using base::shape_text;

// `parts` and `features` are the letters of the first and the last axis.
template <class T>
void check_state(const char* op, const char* name, const RnnArray<const T*>& state,
                 const layers::Shape& expected, const char* parts, const char* features) {
  const auto text = [&] {
    const base::NamedSize n{parts, expected.sizes[0]}, f{features, expected.features()};
    return expected.rank == 2 ? shape_text({n, f}) : shape_text({n, {"B", expected.sizes[1]}, f});
  };
  LF_CHECK(state.shape == expected, "[" << op << "] " << name << " has shape " << state.shape.text()
                                        << "; expected " << text());
}

// `one`: x is a single sequence.
void copy_lengths(const char* op, const RnnArray<const index*>& given, bool one, index batch,
                  index steps, RnnRows& rows) {
  if (one) {
    LF_CHECK(given.shape.count() == 1, "[" << op << "] lengths has shape " << given.shape.text()
                                           << "; expected one length for one sequence");
  } else {
    LF_CHECK(given.shape == layers::Shape{batch}, "[" << op << "] lengths has shape "
                                                      << given.shape.text()
                                                      << "; expected (B=" << batch << ")");
  }
  rows.lengths.assign(given.data, given.data + batch);
  for (std::size_t b = 0; b < rows.lengths.size(); ++b) {
    const index length = rows.lengths[b];
    LF_CHECK(length >= 0 && length <= steps,
             "[" << op << "] lengths[" << b << "] is " << length << "; expected 0 to T=" << steps);
  }
}

template <class T>
void copy_resets(const char* op, const RnnInput<T>& input, index batch, index steps,
                 RnnRows& rows) {
  const RnnArray<const unsigned char*>& given = input.resets;
  const bool one = input.x.shape.rank == 2, first = input.batch_first || one;
  const base::NamedSize b{"B", batch}, t{"T", steps};
  const layers::Shape expected = one     ? layers::Shape{steps}
                                 : first ? layers::Shape{batch, steps}
                                         : layers::Shape{steps, batch};
  LF_CHECK(given.shape == expected, "[" << op << "] resets has shape " << given.shape.text()
                                        << "; expected "
                                        << (one     ? shape_text({t})
                                            : first ? shape_text({b, t})
                                                    : shape_text({t, b})));
  if (first) {
    rows.resets.assign(given.data, given.data + batch * steps);
    return;
  }
  rows.resets.resize(static_cast<std::size_t>(batch * steps));
  unsigned char* to = rows.resets.data();
  for (index row = 0; row < batch; ++row)
    for (index k = 0; k < steps; ++k) *to++ = given.data[k * batch + row];
}

}  // namespace

template <class T>
ops::LstmCall<T> Rnn<T>::check(const char* op, const RnnInput<T>& input, RnnRows& rows) const {
  const layers::Shape& x = input.x.shape;
  const bool one = x.rank == 2;
  LF_CHECK(one || x.rank == 3, "[" << op << "] x has shape " << x.text() << "; expected "
                                   << (input.batch_first ? "(B, T, I)" : "(T, B, I)")
                                   << ", or (T, I) for one sequence");
  ops::LstmCall<T> call{};
  call.batch = one ? 1 : x.sizes[input.batch_first ? 0 : 1];
  call.steps = x.sizes[!one && input.batch_first ? 1 : 0];
  const index B = call.batch, steps = call.steps, I = options_.input;
  const index D = options_.directions, O = options_.outputs(), H = options_.hidden;
  const auto text = [&] {
    const base::NamedSize b{"B", B}, t{"T", steps}, i{"I", x.features()};
    if (one) return shape_text({t, i});
    return input.batch_first ? shape_text({b, t, i}) : shape_text({t, b, i});
  };
  LF_CHECK(x.features() == I, "[" << op << "] x has shape " << text() << "; expected I=" << I
                                  << " to match input_size");
  LF_CHECK(steps >= 1, "[" << op << "] x has shape " << text() << "; expected at least one step");

  call.x = input.x.data;
  call.x_row = input.batch_first ? steps * I : I;
  call.x_step = input.batch_first ? I : B * I;
  call.y_row = input.batch_first ? steps * D * O : D * O;
  call.y_step = input.batch_first ? D * O : B * D * O;
  call.cells_row = input.batch_first ? steps * D * H : D * H;
  call.cells_step = input.batch_first ? D * H : B * D * H;

  const char* const L = D > 1 ? "2*L" : "L";
  if (input.h0.data != nullptr) {
    check_state(op, "h0", input.h0, state_shape(options_, x, B, O), L, O == H ? "H" : "P");
  }
  if (input.c0.data != nullptr) {
    check_state(op, "c0", input.c0, state_shape(options_, x, B, H), L, "H");
  }
  call.h0 = input.h0.data;
  call.c0 = input.c0.data;

  if (input.lengths.data != nullptr) {
    copy_lengths(op, input.lengths, one, B, steps, rows);
    call.lengths = rows.lengths.data();
  }
  if (input.resets.data != nullptr) {
    copy_resets(op, input, B, steps, rows);
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

#define LF_INSTANTIATE(T)                                                       \
  template void check_output(const char*, const RnnInput<T>&, const T*, index); \
  template ops::LstmCall<T> Rnn<T>::check(const char*, const RnnInput<T>&, RnnRows&) const;
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::model
