// One pass over parameters, gradients and slots; see Sgd and Adam in vector_args.h. Elements whose
// gradient is always 0 (padding) never move.

template <class T>
void sgd(const Sgd<T>& a) {
  const Vec<T> rate = Vec<T>::set(a.rate), momentum = Vec<T>::set(a.momentum);
  if (!a.velocity) {
    return for_vectors<T>(a.count, [&](index j, auto part) {
      part.store(fnma(rate, part.load(a.gradients + j), part.load(a.parameters + j)),
                 a.parameters + j);
    });
  }
  for_vectors<T>(a.count, [&](index j, auto part) {
    const Vec<T> step = rate * part.load(a.gradients + j);
    const Vec<T> velocity = momentum * part.load(a.velocity + j) - step;
    const Vec<T> move = a.nesterov ? momentum * velocity - step : velocity;
    part.store(velocity, a.velocity + j);
    part.store(part.load(a.parameters + j) + move, a.parameters + j);
  });
}

template <class T>
void adam(const Adam<T>& a) {
  const Vec<T> rate = Vec<T>::set(a.rate), epsilon = Vec<T>::set(a.epsilon);
  const Vec<T> c1 = Vec<T>::set(a.one_minus_beta_1), c2 = Vec<T>::set(a.one_minus_beta_2);
  const Vec<T> smallest =
      Vec<T>::set(LogConstants<T>::kSmallest);  // avoids 0 / 0 where epsilon is 0
  for_vectors<T>(a.count, [&](index j, auto part) {
    const Vec<T> g = part.load(a.gradients + j);
    const Vec<T> m0 = part.load(a.m + j), v0 = part.load(a.v + j);
    const Vec<T> m = fma(g - m0, c1, m0);
    const Vec<T> v = fma(g * g - v0, c2, v0);
    part.store(m, a.m + j);
    part.store(v, a.v + j);
    const Vec<T> move = rate * m / max(smallest, sqrt(v) + epsilon);
    part.store(part.load(a.parameters + j) - move, a.parameters + j);
  });
}
