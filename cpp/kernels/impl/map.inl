// Activations over flat vectors, and the arithmetic of layers.

template <Activation A>
struct ActivationKind {
  static constexpr Activation value = A;
};

// f(ActivationKind<a>) for the run-time a, so that loops hold no branch.
template <int A = 0, class F>
LF_INLINE void with_activation(Activation a, F f) {
  if constexpr (A < static_cast<int>(Activation::softmax)) {
    if (static_cast<int>(a) == A) return f(ActivationKind<static_cast<Activation>(A)>{});
    with_activation<A + 1>(a, f);
  }
}

template <class T>
void map(const Map<T>& a) {
  with_activation(a.activation.kind, [&](auto kind) {
    const Parameters<T> p(a.activation);
    for_vectors<T>(a.count, [&](index j, auto part) {
      part.store(value(decltype(kind)::value, p, part.load(a.x + j)), a.y + j);
    });
  });
}

template <class T>
void map_backward(const MapBackward<T>& a) {
  with_activation(a.activation.kind, [&](auto kind) {
    const Parameters<T> p(a.activation);
    for_vectors<T>(a.count, [&](index j, auto part) {
      const Vec<T> s = slope(decltype(kind)::value, p, part.load(a.kept + j));
      part.store(part.load(a.dy + j) * s, a.dx + j);
    });
  });
}

template <class T>
void pointwise(const Pointwise<T>& a) {
  const Vec<T> p = Vec<T>::set(a.p), q = Vec<T>::set(a.q);
  switch (a.op) {
    case PointwiseOp::axpy:
      return for_vectors<T>(a.count, [&](index j, auto part) {
        part.store(fma(p, part.load(a.a + j), part.load(a.y + j)), a.y + j);
      });
    case PointwiseOp::signs:
      return for_vectors<T>(a.count, [&](index j, auto part) {
        const Vec<T> x = part.load(a.a + j), zero = Vec<T>::zero();
        const Vec<T> step = select(less(zero, x), p, select(less(x, zero), q, zero));
        part.store(part.load(a.y + j) + step, a.y + j);
      });
    case PointwiseOp::scale:
      return for_vectors<T>(
          a.count, [&](index j, auto part) { part.store(p * part.load(a.a + j), a.y + j); });
    case PointwiseOp::add:
      return for_vectors<T>(a.count, [&](index j, auto part) {
        part.store(part.load(a.a + j) + part.load(a.b + j), a.y + j);
      });
    case PointwiseOp::multiply:
      return for_vectors<T>(a.count, [&](index j, auto part) {
        part.store(part.load(a.a + j) * part.load(a.b + j), a.y + j);
      });
    case PointwiseOp::clamp:
      return for_vectors<T>(a.count, [&](index j, auto part) {
        part.store(max(p, min(q, part.load(a.a + j))), a.y + j);
      });
    case PointwiseOp::mix:
      return for_vectors<T>(a.count, [&](index j, auto part) {
        part.store(fma(p, part.load(a.y + j), q * part.load(a.a + j)), a.y + j);
      });
    case PointwiseOp::affine:
      return for_vectors<T>(a.count, [&](index j, auto part) {
        part.store(fma(part.load(a.a + j) - p, part.load(a.b + j), q), a.y + j);
      });
  }
}
