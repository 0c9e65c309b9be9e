// The simple recurrent unit: h = a(b + x W + h_prev R). It has no c. Training keeps h, or what
// enters the activation.

template <class T>
struct SimpleRnnCell : SumsOfCell<1> {
  static constexpr int kPaired = 8, kWide = 4, V = Vec<T>::kLanes;
  static constexpr bool kHasTail = false;

  static void forward(const StepForward<T>& s, T* z, index row, index n, index panel) {
    const ActivationSpec& spec = s.cell.options->activation;
    typename RowBlock<T>::Vectors value;
    map<T>({spec, n * V, z, value.at});
    const T* const kept = needs_input(spec) ? z : value.at;
    for (index m = 0; m < n; ++m) {
      store_h(s, row + m, panel, s.hidden - panel * V, value[m]);
      if (!s.gates) continue;
      Vec<T>::load(kept + m * V).store(s.gates + panel * s.gate_panel_stride + (row + m) * V);
    }
  }

  static void backward(const StepBackward<T>& s, index panel) {
    const index left = s.hidden - panel * V, n = s.row1 - s.row0;
    T* const gates = s.gates + panel * s.gate_panel_stride + s.row0 * V;
    typename RowBlock<T>::Vectors d;
    for (index row = 0; row < n; row += RowBlock<T>::kRows) {
      const index rows = n - row < RowBlock<T>::kRows ? n - row : index(RowBlock<T>::kRows);
      for (index m = 0; m < rows; ++m) d.set(m, gradient_of_h(s, s.row0 + row + m, panel, left));
      map_backward<T>({s.cell.options->activation, rows * V, gates + row * V, d.at, d.at});
      for (index m = 0; m < rows; ++m) units_of(d[m], left).store(gates + (row + m) * V);
    }
  }
};
