// Panels of the transpose of packed weights, V x V elements at a time; see TransposePanels in
// args.h.

template <class T>
void transpose_panels(const TransposePanels<T>& t) {
  constexpr int V = Vec<T>::kLanes;
  const index columns = t.gates * V;  // elements of one row of a panel
  for (index q = t.q0; q < t.q1; ++q) {
    for (index p = 0; p < t.panels; ++p) {
      for (int n = 0; n < t.nr; ++n) {
        const index k0 = (q * t.nr + n) * V;  // rows k0 .. k0 + V of w become one vector of columns
        for (int g = 0; g < t.gates; ++g) {
          Vec<T> r[V];
          for (index j = 0; j < V; ++j)
            r[j] = k0 + j < t.k
                       ? Vec<T>::load(t.w + p * t.w_panel_stride + (k0 + j) * columns + g * V)
                       : Vec<T>::zero();
          transpose(r);
          T* out = t.out + q * t.out_panel_stride + ((p * t.gates + g) * V * t.nr + n) * V;
          for (index j = 0; j < V; ++j) r[j].store(out + j * t.nr * V);
        }
      }
    }
  }
}
