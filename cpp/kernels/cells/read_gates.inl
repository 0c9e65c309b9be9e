// The gates as the cell used them, for traces; see ReadGates in lstm_args.h. The same arithmetic as
// forward, so the same bits.

template <class T, int G>
void read_gates_of(const ReadGates<T>& s) {
  constexpr int V = Vec<T>::kLanes, kF = G - 3;
  const Gates<T, G> gates{s.cell};
  alignas(64) T z[V], room[G][V];
  const T* a[G];
  for (index row = s.row0; row < s.row1; ++row) {
    const T* const stats = s.stats ? s.stats + row * (2 * G + 2) : nullptr;
    // NormRow reads z alone here.
    const NormRow<T, G> norm{s.cell, nullptr, 0, s.panels, stats, stats + G + 1};
    for (index p = 0; p < s.panels; ++p) {
      const index left = s.hidden - p * V;
      const T* const kept = s.gates + p * s.gate_panel_stride + row * G * V;
      for (int g = 0; g < G; ++g) {
        if (stats) {
          norm.normed(p, g, Vec<T>::load(kept + g * V)).store(z);
          gates.open(g, 1, z, room[g]);
          a[g] = room[g];
        } else {
          a[g] = gates.reopen(g, 1, kept + g * V, room[g]);
        }
      }
      const auto give = [&](int k, Vec<T> value) {
        store_up_to(value, s.out[k] + s.offsets[row] + p * V, left);
      };
      give(0, G == 4 ? Vec<T>::load(a[0]) : Vec<T>::set(T(1)) - Vec<T>::load(a[kF]));
      for (int g = kF; g < G; ++g) give(g - kF + 1, Vec<T>::load(a[g]));
    }
  }
}

template <class T>
void read_gates(const ReadGates<T>& s) {
  s.cell.options->coupled ? read_gates_of<T, 3>(s) : read_gates_of<T, 4>(s);
}
