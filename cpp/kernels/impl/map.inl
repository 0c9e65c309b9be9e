// Activations over flat vectors, and the arithmetic of layers.

template <Activation A>
struct ActivationKind {
  static constexpr Activation value = A;
};

// f(ActivationKind<a>) for the run-time a, so that loops hold no branch.
template <class F>
LF_INLINE void with_activation(Activation a, F f) {
  switch (a) {
    case Activation::softmax:
    case Activation::linear:
      return f(ActivationKind<Activation::linear>{});
    case Activation::relu:
      return f(ActivationKind<Activation::relu>{});
    case Activation::tanh:
      return f(ActivationKind<Activation::tanh>{});
    case Activation::sigmoid:
      return f(ActivationKind<Activation::sigmoid>{});
    case Activation::hard_sigmoid:
      return f(ActivationKind<Activation::hard_sigmoid>{});
    case Activation::leaky_relu:
      return f(ActivationKind<Activation::leaky_relu>{});
    case Activation::elu:
      return f(ActivationKind<Activation::elu>{});
    case Activation::softplus:
      return f(ActivationKind<Activation::softplus>{});
    case Activation::softsign:
      return f(ActivationKind<Activation::softsign>{});
    case Activation::exponential:
      return f(ActivationKind<Activation::exponential>{});
  }
}

template <class T>
void map(const Map<T>& a) {
  with_activation(a.activation, [&](auto kind) {
    for_vectors<T>(a.count, [&](index j, auto part) {
      part.store(activate(decltype(kind)::value, part.load(a.x + j)), a.y + j);
    });
  });
}

template <class T>
void map_backward(const MapBackward<T>& a) {
  with_activation(a.activation, [&](auto kind) {
    for_vectors<T>(a.count, [&](index j, auto part) {
      part.store(part.load(a.dy + j) * slope(decltype(kind)::value, part.load(a.y + j)), a.dx + j);
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
  }
}
