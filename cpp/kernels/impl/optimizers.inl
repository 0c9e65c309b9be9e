// One pass over parameters p, gradients g and slots. Elements whose p and g are always 0 (padding)
// never move. A divisor of 0 counts as the smallest normal number.

// p = step(j, part, decay p, g) for the vectors that begin at elements j.
template <class T, class Step>
LF_INLINE void for_parameters(const Update<T>& a, Step step) {
  const Vec<T> decay = Vec<T>::set(a.decay);
  T* const parameters = a.parameters;
  const T* const gradients = a.gradients;
  for_vectors<T>(a.count, [&](index j, auto part) {
    const Vec<T> p = decay * part.load(parameters + j);
    part.store(step(j, part, p, part.load(gradients + j)), parameters + j);
  });
}

template <class T>
LF_INLINE Vec<T> factor(const Update<T>& a, int i) {
  return Vec<T>::set(a.factors[i]);
}

// mean += (x - mean) share, stored in `slot` and returned.
template <class T, class Part>
LF_INLINE Vec<T> move_mean(Part part, T* slot, Vec<T> x, Vec<T> share) {
  const Vec<T> mean = part.load(slot);
  const Vec<T> moved = fma(x - mean, share, mean);
  part.store(moved, slot);
  return moved;
}

template <class T>
LF_INLINE Vec<T> divisor(Vec<T> x) {
  return max(Vec<T>::set(LogConstants<T>::kSmallest), x);
}

// momentum 0: p -= rate g. Otherwise velocity = momentum velocity - rate g, then p += velocity, or
// with nesterov p += momentum velocity - rate g.
template <class T>
void sgd(const Update<T>& a) {
  const Vec<T> rate = factor(a, 0), momentum = factor(a, 1);
  const bool nesterov = a.factors[2] != T(0);
  T* const slot = a.slots[0];
  if (!slot) {
    return for_parameters(a, [&](index, auto, Vec<T> p, Vec<T> g) { return fnma(rate, g, p); });
  }
  for_parameters(a, [&](index j, auto part, Vec<T> p, Vec<T> g) {
    const Vec<T> step = rate * g;
    const Vec<T> velocity = momentum * part.load(slot + j) - step;
    part.store(velocity, slot + j);
    return p + (nesterov ? momentum * velocity - step : velocity);
  });
}

// m += (g - m) (1 - beta_1), v += (g^2 - v) (1 - beta_2), p -= rate m / (sqrt(v) + epsilon), where
// rate holds the bias corrections. With a third slot, largest = max(largest, v) takes the place of
// v in the step.
template <class T, bool kLargest>
LF_INLINE void adam_pass(const Update<T>& a) {
  T* const ms = a.slots[0];
  T* const vs = a.slots[1];
  T* const largest = a.slots[2];
  const Vec<T> rate = factor(a, 0), epsilon = factor(a, 3);
  const Vec<T> one_minus_beta_1 = factor(a, 1), one_minus_beta_2 = factor(a, 2);
  for_parameters(a, [&](index j, auto part, Vec<T> p, Vec<T> g) {
    const Vec<T> m = move_mean(part, ms + j, g, one_minus_beta_1);
    Vec<T> v = move_mean(part, vs + j, g * g, one_minus_beta_2);
    if constexpr (kLargest) {
      v = max(part.load(largest + j), v);
      part.store(v, largest + j);
    }
    return p - rate * m / divisor(sqrt(v) + epsilon);
  });
}
template <class T>
void adam(const Update<T>& a) {
  a.slots[2] ? adam_pass<T, true>(a) : adam_pass<T, false>(a);
}

// v += (g^2 - v) (1 - rho), step = rate g / sqrt(v + epsilon), p -= step. With momentum, whose
// velocity is the second slot, velocity = momentum velocity + step takes the place of the step.
// With one more slot, the mean of gradients, v - mean^2 takes the place of v in the step (0 where
// rounding makes it negative).
template <class T, bool kMomentum, bool kCentered>
LF_INLINE void rmsprop_pass(const Update<T>& a) {
  T* const vs = a.slots[0];
  T* const velocities = a.slots[1];
  T* const means = a.slots[kMomentum ? 2 : 1];
  const Vec<T> rate = factor(a, 0), one_minus_rho = factor(a, 1);
  const Vec<T> momentum = factor(a, 2), epsilon = factor(a, 3);
  for_parameters(a, [&](index j, auto part, Vec<T> p, Vec<T> g) {
    Vec<T> v = move_mean(part, vs + j, g * g, one_minus_rho);
    if constexpr (kCentered) {
      const Vec<T> mean = move_mean(part, means + j, g, one_minus_rho);
      v = max(Vec<T>::zero(), fnma(mean, mean, v));
    }
    Vec<T> step = rate * g / divisor(sqrt(v + epsilon));
    if constexpr (kMomentum) {
      step = fma(momentum, part.load(velocities + j), step);
      part.store(step, velocities + j);
    }
    return p - step;
  });
}
template <class T>
void rmsprop(const Update<T>& a) {
  if (a.factors[2] != T(0)) {
    a.slots[2] ? rmsprop_pass<T, true, true>(a) : rmsprop_pass<T, true, false>(a);
  } else {
    a.slots[1] ? rmsprop_pass<T, false, true>(a) : rmsprop_pass<T, false, false>(a);
  }
}

// sum += g^2, p -= rate g / sqrt(sum + epsilon).
template <class T>
void adagrad(const Update<T>& a) {
  T* const sums = a.slots[0];
  const Vec<T> rate = factor(a, 0), epsilon = factor(a, 1);
  for_parameters(a, [&](index j, auto part, Vec<T> p, Vec<T> g) {
    const Vec<T> sum = fma(g, g, part.load(sums + j));
    part.store(sum, sums + j);
    return p - rate * g / divisor(sqrt(sum + epsilon));
  });
}

// v += (g^2 - v) (1 - rho), step = g sqrt(u + epsilon) / sqrt(v + epsilon),
// u += (step^2 - u) (1 - rho), p -= rate step.
template <class T>
void adadelta(const Update<T>& a) {
  T* const vs = a.slots[0];
  T* const us = a.slots[1];
  const Vec<T> rate = factor(a, 0), one_minus_rho = factor(a, 1), epsilon = factor(a, 2);
  for_parameters(a, [&](index j, auto part, Vec<T> p, Vec<T> g) {
    const Vec<T> v = move_mean(part, vs + j, g * g, one_minus_rho);
    const Vec<T> root = sqrt(part.load(us + j) + epsilon);
    const Vec<T> step = root * g / divisor(sqrt(v + epsilon));
    move_mean(part, us + j, step * step, one_minus_rho);
    return fnma(rate, step, p);
  });
}

// m += (g - m) (1 - beta_1), u = max(beta_2 u, |g|), p -= rate m / (u + epsilon), where rate holds
// the bias correction.
template <class T>
void adamax(const Update<T>& a) {
  T* const ms = a.slots[0];
  T* const us = a.slots[1];
  const Vec<T> rate = factor(a, 0), one_minus_beta_1 = factor(a, 1);
  const Vec<T> beta_2 = factor(a, 2), epsilon = factor(a, 3);
  for_parameters(a, [&](index j, auto part, Vec<T> p, Vec<T> g) {
    const Vec<T> m = move_mean(part, ms + j, g, one_minus_beta_1);
    const Vec<T> u = max(beta_2 * part.load(us + j), abs(g));
    part.store(u, us + j);
    return p - rate * m / divisor(u + epsilon);
  });
}

// m += (g - m) (1 - beta_1), v += (g^2 - v) (1 - beta_2),
// p -= (of_m m + of_g g) / (sqrt(v) + epsilon), where the first two factors hold rate, momentum
// schedule and bias corrections.
template <class T>
void nadam(const Update<T>& a) {
  T* const ms = a.slots[0];
  T* const vs = a.slots[1];
  const Vec<T> of_m = factor(a, 0), of_g = factor(a, 1), epsilon = factor(a, 4);
  const Vec<T> one_minus_beta_1 = factor(a, 2), one_minus_beta_2 = factor(a, 3);
  for_parameters(a, [&](index j, auto part, Vec<T> p, Vec<T> g) {
    const Vec<T> m = move_mean(part, ms + j, g, one_minus_beta_1);
    const Vec<T> v = move_mean(part, vs + j, g * g, one_minus_beta_2);
    return p - fma(of_m, m, of_g * g) / divisor(sqrt(v) + epsilon);
  });
}

// p -= rate sign(beta_1 m + (1 - beta_1) g), where the sign of 0 is 0; then
// m = beta_2 m + (1 - beta_2) g.
template <class T>
void lion(const Update<T>& a) {
  T* const ms = a.slots[0];
  const Vec<T> rate = factor(a, 0), zero = Vec<T>::zero(), back = zero - rate;
  const Vec<T> beta_1 = factor(a, 1), one_minus_beta_1 = factor(a, 2);
  const Vec<T> beta_2 = factor(a, 3), one_minus_beta_2 = factor(a, 4);
  for_parameters(a, [&](index j, auto part, Vec<T> p, Vec<T> g) {
    const Vec<T> m = part.load(ms + j);
    const Vec<T> mixed = fma(one_minus_beta_1, g, beta_1 * m);
    part.store(fma(one_minus_beta_2, g, beta_2 * m), ms + j);
    return p - select(less(zero, mixed), rate, select(less(mixed, zero), back, zero));
  });
}
