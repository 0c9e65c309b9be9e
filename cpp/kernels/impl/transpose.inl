// Panels of the transpose of packed weights, V x V elements at a time; see TransposePanels in
// args.h.

// The transpose of V rows of w from k0 on, where rows from t.k on are zeros.
template <class T>
LF_INLINE void transpose_rows(const TransposePanels<T>& t, const T* w, index row_elements, index k0,
                              Vec<T> (&r)[Vec<T>::kLanes]) {
  for (index j = 0; j < Vec<T>::kLanes; ++j)
    r[j] = k0 + j < t.k ? Vec<T>::load(w + (k0 + j) * row_elements) : Vec<T>::zero();
  transpose(r);
}

template <class T>
void transpose_panels(const TransposePanels<T>& t) {
  constexpr int V = Vec<T>::kLanes;
  const index whole = t.panels - (t.tail.units > 0 ? 1 : 0), row = t.nr * V;
  Vec<T> r[V];
  for (index q = t.q0; q < t.q1; ++q) {
    for (index p = 0; p < t.panels; ++p) {
      const T* const w = p < whole ? t.w + p * t.w_panel_stride : t.tail_w;
      T* const out = t.out + q * t.out_panel_stride + p * t.gates * V * row;
      for (int n = 0; n < t.nr; ++n) {
        const index k0 = (q * t.nr + n) * V;  // rows k0 .. k0 + V of w become one vector of columns
        for (int g = 0; p < whole && g < t.gates; ++g) {
          transpose_rows(t, w + g * V, t.w_row, k0, r);
          for (index j = 0; j < V; ++j) r[j].store(out + (g * V + j) * row + n * V);
        }
        index g = 0, unit = 0;
        for (int v = 0; p >= whole && v < t.tail.vectors; ++v) {
          transpose_rows(t, w + v * V, t.tail.vectors * V, k0, r);
          for (index j = 0; j < V && g < t.gates; ++j) {
            r[j].store(out + (g * V + unit) * row + n * V);
            if (++unit == t.tail.units) unit = 0, ++g;
          }
        }
      }
    }
  }
}
