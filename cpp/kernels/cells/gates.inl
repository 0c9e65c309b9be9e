// The gates of every cell but the plain one, many vectors at a time: the choice of activation
// stands outside the loops. Gates i, f, g, o, or f, g, o where i = 1 - f.

template <class T, int G>
struct Gates {
  static constexpr int V = Vec<T>::kLanes;
  static constexpr int kF = G - 3, kG = G - 2, kO = G - 1;  // i is 0 when G = 4
  const CellParams<T>& cell;
  const CellOptions& options = *cell.options;

  LF_INLINE bool off(int k) const {
    return k == kO   ? !options.output_gate
           : k == kF ? !options.forget_gate
                     : G == 4 && k == 0 && !options.input_gate;
  }
  LF_INLINE const ActivationSpec& spec(int k) const {
    return k == kG ? options.activation : options.recurrent_activation;
  }
  // Whether backward needs gate k before its activation; otherwise the activated value suffices.
  LF_INLINE bool keeps_z(int k) const { return needs_input(spec(k)); }

  // a = s(clip(z)) for n vectors of gate k, 1 where the gate is off; z is left clipped; a may be z.
  void open(int k, index n, T* z, T* a) const {
    if (off(k)) return fill(n, a, T(1));
    if (options.preact_clip > 0)
      for (index j = 0; j < n; ++j) limited(Vec<T>::load(z + j * V)).store(z + j * V);
    map<T>({spec(k), n * V, z, a});
  }

  // Computes a again from what open() left: in `room`, or `kept` itself. kept is z where
  // keeps_z(k), else a.
  const T* reopen(int k, index n, const T* kept, T* room) const {
    if (off(k)) {
      fill(n, room, T(1));
    } else if (keeps_z(k)) {
      map<T>({spec(k), n * V, kept, room});
    } else {
      return kept;
    }
    return room;
  }

  // dz from da, in place; z and a as open() left them, z only where keeps_z(k).
  void close(int k, index n, const T* z, const T* a, T* d) const {
    if (off(k)) return fill(n, d, T(0));
    const T* kept = keeps_z(k) ? z : a;
    map_backward<T>({spec(k), n * V, kept, d, d});
    if (options.preact_clip > 0)
      for (index j = 0; j < n; ++j)
        unclipped(k, Vec<T>::load(kept + j * V), Vec<T>::load(d + j * V)).store(d + j * V);
  }

  // NaN stays NaN: min and max return their second operand.
  LF_INLINE Vec<T> limited(Vec<T> z) const {
    const Vec<T> b = Vec<T>::set(T(options.preact_clip));
    return max(Vec<T>::zero() - b, min(b, z));
  }
  // d where gate k was inside the clip. Where z is not kept this follows from the value:
  // activations that need no input are monotonic, or flat with slope 0.
  LF_INLINE Vec<T> unclipped(int k, Vec<T> kept, Vec<T> d) const {
    const T b = T(options.preact_clip), *values = cell.clip_values + (k == kG ? 2 : 0);
    const bool z = keeps_z(k), falls = !z && values[1] < values[0];
    const Vec<T> low = Vec<T>::set(z ? -b : values[falls ? 1 : 0]);
    const Vec<T> high = Vec<T>::set(z ? b : values[falls ? 0 : 1]);
    return select(less(low, kept), select(less(kept, high), d, Vec<T>::zero()), Vec<T>::zero());
  }

  // y = a(c), and d = d a(c)/dc * d in place.
  void show(index n, const T* c, T* y) const { map<T>({options.output_activation, n * V, c, y}); }
  void unshow(index n, const T* c, const T* y, T* d) const {
    const ActivationSpec& out = options.output_activation;
    map_backward<T>({out, n * V, needs_input(out) ? c : y, d, d});
  }

  // f c_prev + i g before clip and zoneout.
  LF_INLINE Vec<T> unbounded(Vec<T> i, Vec<T> f, Vec<T> g, Vec<T> c_prev) const {
    return fma(f, c_prev, i * g);
  }
  LF_INLINE Vec<T> state(Vec<T> c) const {
    if (!(options.cell_clip > 0)) return c;
    const Vec<T> b = Vec<T>::set(T(options.cell_clip));
    return max(Vec<T>::zero() - b, min(b, c));
  }
  LF_INLINE Vec<T> inside(Vec<T> unbounded_c, Vec<T> d) const {
    if (!(options.cell_clip > 0)) return d;
    return select(less(abs(unbounded_c), Vec<T>::set(T(options.cell_clip))), d, Vec<T>::zero());
  }

  static void fill(index n, T* a, T value) {
    for (index j = 0; j < n; ++j) Vec<T>::set(value).store(a + j * V);
  }
};

// m of zoneout for V units from `unit` on.
template <class T>
LF_INLINE Vec<T> kept_share(const Keep<T>& keep, double rate, index row, index unit) {
  return keep.mask ? Vec<T>::load(keep.mask + row * keep.stride + unit) : Vec<T>::set(T(rate));
}

// m old + (1 - m) now: where m is 0 or 1, exactly one of them if both are finite.
template <class T>
LF_INLINE Vec<T> mixed(Vec<T> m, Vec<T> old, Vec<T> now) {
  return fma(m, old, (Vec<T>::set(T(1)) - m) * now);
}
