// From o a(c), or its projection, to h and what the next step reads; see HiddenForward and
// HiddenBackward in lstm_args.h.

template <class T>
void hidden_forward(const HiddenForward<T>& s) {
  constexpr int V = Vec<T>::kLanes;
  const Vec<T> bound = Vec<T>::set(T(s.clip)), minus_bound = Vec<T>::zero() - bound;
  for (index row = s.row0; row < s.row1; ++row) {
    for (index u = s.unit0; u < s.unit1; u += V) {
      Vec<T> h = Vec<T>::load(s.v + row * s.v_stride + u);
      if (s.clip > 0) h = max(minus_bound, min(bound, h));
      if (s.rate > 0) {
        const Vec<T> old =
            s.h_prev ? Vec<T>::load(s.h_prev + row * s.h_stride + u) : Vec<T>::zero();
        h = mixed(kept_share(s.keep, s.rate, row, u), old, h);
      }
      h.store(s.h + row * s.h_stride + u);
      if (s.recurrent.mask && row < s.recurrent_rows)
        (h * kept_share(s.recurrent, 0, row, u)).store(s.h_in + row * s.h_in_stride + u);
      if (s.y) store_up_to(h, s.y + s.y_offsets[row] + u, s.unit1 - u);
    }
  }
}

template <class T>
void hidden_backward(const HiddenBackward<T>& s) {
  constexpr int V = Vec<T>::kLanes;
  const Vec<T> bound = Vec<T>::set(T(s.clip)), one = Vec<T>::set(T(1));
  for (index row = s.row0; row < s.row1; ++row) {
    const bool reset = s.reset && s.reset[row];
    for (index u = s.unit0; u < s.unit1; u += V) {
      const index left = s.unit1 - u;
      T* carry = s.dh_carry + row * s.stride + u;
      Vec<T> dv = Vec<T>::load(s.dh_in + row * s.stride + u) + Vec<T>::load(carry);
      if (s.dy) dv = dv + load_up_to(s.dy + s.dy_offsets[row] + u, left);
      Vec<T> past = Vec<T>::zero();
      if (s.rate > 0) {
        const Vec<T> keep = kept_share(s.keep, s.rate, row, u);
        if (!reset) past = keep * dv;
        dv = (one - keep) * dv;
      }
      past.store(carry);
      if (s.clip > 0) {
        const T* const v = s.v + (s.v_offsets ? s.v_offsets[row] : row * s.v_stride);
        dv = select(less(abs(load_up_to(v + u, left)), bound), dv, Vec<T>::zero());
      }
      units_of(dv, left).store(s.dv + row * s.dv_stride + u);
    }
  }
}
