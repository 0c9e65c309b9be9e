// One pass over parameters p, gradients g and slots. Elements whose gradient is always 0 (padding)
// never move.

// momentum 0: p -= rate g. Otherwise velocity = momentum velocity - rate g, then p += velocity, or
// with nesterov p += momentum velocity - rate g.
template <class T>
void sgd(const Update<T>& a) {
  const Vec<T> rate = Vec<T>::set(a.factors[0]), momentum = Vec<T>::set(a.factors[1]);
  const bool nesterov = a.factors[2] != T(0);
  T* const slot = a.slots[0];
  if (!slot) {
    return for_vectors<T>(a.count, [&](index j, auto part) {
      part.store(fnma(rate, part.load(a.gradients + j), part.load(a.parameters + j)),
                 a.parameters + j);
    });
  }
  for_vectors<T>(a.count, [&](index j, auto part) {
    const Vec<T> step = rate * part.load(a.gradients + j);
    const Vec<T> velocity = momentum * part.load(slot + j) - step;
    const Vec<T> move = nesterov ? momentum * velocity - step : velocity;
    part.store(velocity, slot + j);
    part.store(part.load(a.parameters + j) + move, a.parameters + j);
  });
}

// m += (g - m) (1 - beta_1), v += (g^2 - v) (1 - beta_2), p -= rate m / (sqrt(v) + epsilon), where
// rate holds the bias corrections. A divisor of 0 counts as the smallest normal number.
template <class T>
void adam(const Update<T>& a) {
  const Vec<T> rate = Vec<T>::set(a.factors[0]), epsilon = Vec<T>::set(a.factors[3]);
  const Vec<T> one_minus_beta_1 = Vec<T>::set(a.factors[1]);
  const Vec<T> one_minus_beta_2 = Vec<T>::set(a.factors[2]);
  const Vec<T> smallest = Vec<T>::set(LogConstants<T>::kSmallest);
  T* const first = a.slots[0];
  T* const second = a.slots[1];
  for_vectors<T>(a.count, [&](index j, auto part) {
    const Vec<T> g = part.load(a.gradients + j);
    const Vec<T> m0 = part.load(first + j), v0 = part.load(second + j);
    const Vec<T> m = fma(g - m0, one_minus_beta_1, m0);
    const Vec<T> v = fma(g * g - v0, one_minus_beta_2, v0);
    part.store(m, first + j);
    part.store(v, second + j);
    const Vec<T> move = rate * m / max(smallest, sqrt(v) + epsilon);
    part.store(part.load(a.parameters + j) - move, a.parameters + j);
  });
}
