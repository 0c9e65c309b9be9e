// The plain cell: sigmoid gates, tanh, four gates in order i, f, g, o.
//   c = f c_prev + i g,   h = o tanh(c)

template <class T>
struct PlainCell {
  static constexpr int kGates = 4;
  LF_INLINE PlainCell(const CellParams<T>&, index) {}

  // z: in pre-activations, out activated gates.
  LF_INLINE void forward(Vec<T> (&z)[4], Vec<T> c_prev, Vec<T>& c, Vec<T>& h) const {
    z[0] = sigmoid(z[0]);
    z[1] = sigmoid(z[1]);
    z[2] = tanh(z[2]);
    z[3] = sigmoid(z[3]);
    c = fma(z[1], c_prev, z[0] * z[2]);
    h = z[3] * tanh(c);
  }

  // a: in activated gates, out dz. dc: in dL/dc without this step's h, out dL/dc_prev.
  LF_INLINE void backward(Vec<T> (&a)[4], Vec<T> c, Vec<T> c_prev, Vec<T> dh, Vec<T>& dc) const {
    const Vec<T> one = Vec<T>::set(T(1));
    const Vec<T> i = a[0], f = a[1], g = a[2], o = a[3], y = tanh(c);
    dc = fma(dh * o, fnma(y, y, one), dc);
    a[0] = dc * g * (i * (one - i));
    a[1] = dc * c_prev * (f * (one - f));
    a[2] = dc * i * fnma(g, g, one);
    a[3] = dh * y * (o * (one - o));
    dc = dc * f;
  }
};
