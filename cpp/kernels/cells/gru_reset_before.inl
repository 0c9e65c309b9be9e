// The gated recurrent unit whose reset gate acts on h before its product, in two phases, since the
// product for the candidate needs r h of all units.
//   0: z = s(z_z), r = s(z_r), and r h;   1: g = a(z_g), h = z h_prev + (1 - z) g
// b + x W is computed ahead. c of the step is h, as in GruCell. The gates z, r, g (or what enters
// the activation) are kept in inference, too, from phase to phase; backward, which begins with
// phase 1, leaves dz, dr, dg.

template <class T>
struct ResetGates : SumsOfCell<2> {  // phase 0
  static constexpr int kRow = 3, kKept = 3, kPaired = 4, V = Vec<T>::kLanes;
  static constexpr bool kHasTail = false;

  // h of StepForward becomes r h_prev.
  static void forward(const StepForward<T>& s, T* z, index row, index n, index panel) {
    const ActivationSpec& spec = s.cell.options->recurrent_activation;
    T* const out = s.gates + panel * s.gate_panel_stride + row * kKept * V;
    typename RowBlock<T>::Vectors value[2];
    for (int k = 0; k < 2; ++k) {
      map<T>({spec, n * V, z + k * n * V, value[k].at});
      const T* const kept = needs_input(spec) ? z + k * n * V : value[k].at;
      for (index m = 0; m < n; ++m) Vec<T>::load(kept + m * V).store(out + (m * kKept + k) * V);
    }
    for (index m = 0; s.h_prev && m < n; ++m) {
      const Vec<T> h = Vec<T>::load(s.h_prev + (row + m) * s.h_prev_stride + panel * V);
      (value[1][m] * h).store(s.h + (row + m) * s.h_stride + panel * V);
    }
  }

  // dh of StepBackward is the gradient of r h; dc gets what r h gives h_prev.
  static void backward(const StepBackward<T>& s, index panel) {
    using Block = RowBlock<T>;
    const ActivationSpec& spec = s.cell.options->recurrent_activation;
    const index left = s.hidden - panel * V;
    typename Block::Vectors kept, room, d, masked;
    for (index row = s.row0; row < s.row1; row += Block::kRows) {
      const index n = s.row1 - row < Block::kRows ? s.row1 - row : index(Block::kRows);
      T* const gates = s.gates + panel * s.gate_panel_stride + row * kKept * V + V;
      for (index m = 0; m < n; ++m) {
        kept.set(m, Vec<T>::load(gates + m * kKept * V));
        Vec<T> dh = gradient_of_h(s, row + m, panel, left);
        if (s.recurrent.mask) dh = dh * kept_share(s.recurrent, 0, row + m, panel * V);
        masked.set(m, dh);
        d.set(m, dh * previous_c(s, row + m, panel));
      }
      const T* const r = Block::reopen(spec, n, kept.at, room.at);
      map_backward<T>({spec, n * V, kept.at, d.at, d.at});
      for (index m = 0; m < n; ++m) {
        units_of(d[m], left).store(gates + m * kKept * V);
        if (s.reset && s.reset[row + m]) continue;
        T* const dc = s.dc + panel * s.dc_panel_stride + (row + m) * V;
        const Vec<T> more = fma(masked[m], Vec<T>::load(r + m * V), Vec<T>::load(dc));
        units_of(more, left).store(dc);
      }
    }
  }
};

template <class T>
struct ResetCandidate : SumsOfCell<1> {  // phase 1
  static constexpr int kRow = 3, kFirst = 2, kKept = 3, kPaired = 8, kWide = 4;
  static constexpr int V = Vec<T>::kLanes;
  static constexpr bool kHasTail = false;

  static void forward(const StepForward<T>& s, T* z, index row, index n, index panel) {
    const CellOptions& o = *s.cell.options;
    T* const gates = s.gates + panel * s.gate_panel_stride + row * kKept * V;
    typename RowBlock<T>::Vectors g, kept, room;
    map<T>({o.activation, n * V, z, g.at});
    for (index m = 0; m < n; ++m) {
      kept.set(m, Vec<T>::load(gates + m * kKept * V));
      (needs_input(o.activation) ? Vec<T>::load(z + m * V) : g[m])
          .store(gates + (m * kKept + 2) * V);
    }
    const T* const update = RowBlock<T>::reopen(o.recurrent_activation, n, kept.at, room.at);
    for (index m = 0; m < n; ++m) {
      const Vec<T> h =
          fma(Vec<T>::load(update + m * V), previous_c(s, row + m, panel) - g[m], g[m]);
      store_step(s, row + m, panel, s.hidden - panel * V, h, h);
    }
  }

  static void backward(const StepBackward<T>& s, index panel) {
    using Block = RowBlock<T>;
    const CellOptions& o = *s.cell.options;
    const Vec<T> one = Vec<T>::set(T(1));
    const index left = s.hidden - panel * V;
    typename Block::Vectors kept_z, kept_g, room_z, room_g, dz, dg, past;
    for (index row = s.row0; row < s.row1; row += Block::kRows) {
      const index n = s.row1 - row < Block::kRows ? s.row1 - row : index(Block::kRows);
      T* const gates = s.gates + panel * s.gate_panel_stride + row * kKept * V;
      for (index m = 0; m < n; ++m) {
        kept_z.set(m, Vec<T>::load(gates + m * kKept * V));
        kept_g.set(m, Vec<T>::load(gates + (m * kKept + 2) * V));
      }
      const T* const z = Block::reopen(o.recurrent_activation, n, kept_z.at, room_z.at);
      const T* const g = Block::reopen(o.activation, n, kept_g.at, room_g.at);
      for (index m = 0; m < n; ++m) {
        const Vec<T> update = Vec<T>::load(z + m * V);
        const Vec<T> d =
            gradient_of_h(s, row + m, panel, left) + gradient_of_c(s, row + m, panel, left);
        dg.set(m, d * (one - update));
        dz.set(m, d * (previous_c(s, row + m, panel) - Vec<T>::load(g + m * V)));
        past.set(m, d * update);
      }
      map_backward<T>({o.activation, n * V, kept_g.at, dg.at, dg.at});
      map_backward<T>({o.recurrent_activation, n * V, kept_z.at, dz.at, dz.at});
      for (index m = 0; m < n; ++m) {
        units_of(dz[m], left).store(gates + m * kKept * V);
        units_of(dg[m], left).store(gates + (m * kKept + 2) * V);
        const bool reset = s.reset && s.reset[row + m];
        (reset ? Vec<T>::zero() : units_of(past[m], left))
            .store(s.dc + panel * s.dc_panel_stride + (row + m) * V);
      }
    }
  }
};
