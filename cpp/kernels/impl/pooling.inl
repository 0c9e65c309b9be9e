// Maxima and means of windows; see Pool in vector_args.h.

// The positions of a window that exist.
struct WindowPart {
  index begin, end;
  LF_INLINE WindowPart(const Windows& w, index j)
      : begin(w.first + j * w.stride), end(begin + w.taps) {
    begin = begin > 0 ? begin : 0;
    end = end < w.size ? end : w.size;
  }
};

// Calls f(window, its part of y, its part of x).
template <class T, class F>
LF_INLINE void for_windows(const Pool<T>& a, index line0, index line1, F f) {
  for (index j = line0; j < line1; ++j) {
    for (index i = 0; i < a.x.count; ++i)
      f(j * a.x.count + i, WindowPart(a.y, j), WindowPart(a.x, i));
  }
}

// Calls f(position) for those of a window that count.
template <class T, class F>
LF_INLINE void for_positions(const Pool<T>& a, WindowPart y, WindowPart x, F f) {
  for (index j = y.begin; j < y.end; ++j) {
    for (index i = x.begin; i < x.end; ++i) {
      const index position = j * a.x.size + i;
      if (!a.mask || a.mask[position]) f(position);
    }
  }
}

template <class T>
LF_INLINE index count_positions(const Pool<T>& a, WindowPart y, WindowPart x) {
  if (!a.mask) return (y.end - y.begin) * (x.end - x.begin);
  index count = 0;
  for_positions(a, y, x, [&](index) { ++count; });
  return count;
}

// The greater of a and x; a if they are equal; NaN if one of them is, as `or` keeps its bits.
template <class T>
LF_INLINE Vec<T> greater(Vec<T> a, Vec<T> x) {
  return select(less(a, x), x, select(less(x, a), a, bit_or(a, x)));
}

// N vectors of a window, from a channel at `in` on: several sums at a time hide their latency.
template <bool kMaximum, int N, class T, class Part>
LF_INLINE void pool_vectors(const Pool<T>& a, WindowPart y, WindowPart x, Vec<T> count, const T* in,
                            T* out, Part part) {
  constexpr int V = Vec<T>::kLanes;
  const T* const first = in + (y.begin * a.x.size + x.begin) * a.channels;
  Vec<T> all[N];
  for (int n = 0; n < N; ++n) all[n] = kMaximum ? part.load(first + n * V) : Vec<T>::zero();
  for_positions(a, y, x, [&](index position) LF_INLINED {
    LF_UNROLL
    for (int n = 0; n < N; ++n) {
      const Vec<T> next = part.load(in + position * a.channels + n * V);
      all[n] = kMaximum ? greater(all[n], next) : all[n] + next;
    }
  });
  for (int n = 0; n < N; ++n) part.store(kMaximum ? all[n] : all[n] / count, out + n * V);
}

template <bool kMaximum, class T>
void pool_as(const Pool<T>& a) {
  constexpr int kVectors = 4, kWide = kVectors * Vec<T>::kLanes;
  for_windows(a, a.line0, a.line1, [&](index window, WindowPart y, WindowPart x) {
    T* const out = a.out + window * a.channels;
    const Vec<T> count = Vec<T>::set(T(kMaximum ? 1 : count_positions(a, y, x)));
    index c = 0;
    for (; c + kWide <= a.channels; c += kWide)
      pool_vectors<kMaximum, kVectors>(a, y, x, count, a.in + c, out + c, Whole<T>{});
    for_vectors<T>(a.channels - c, [&](index j, auto part) {
      pool_vectors<kMaximum, 1>(a, y, x, count, a.in + c + j, out + c + j, part);
    });
  });
}

template <class T>
void pool(const Pool<T>& a) {
  a.maximum ? pool_as<true>(a) : pool_as<false>(a);
}

template <class T>
void pool_backward(const PoolBackward<T>& b) {
  const Pool<T>& a = b.forward;
  for_windows(a, 0, a.y.count, [&](index window, WindowPart y, WindowPart x) {
    const Vec<T> count = Vec<T>::set(T(a.maximum ? 1 : count_positions(a, y, x)));
    for_vectors<T>(a.channels, [&](index c, auto part) {
      const Vec<T> zero = Vec<T>::zero();
      Vec<T> left = part.load(b.dout + window * a.channels + c);
      if (!a.maximum) left = left / count;
      const Vec<T> most = a.maximum ? part.load(a.out + window * a.channels + c) : zero;
      for_positions(a, y, x, [&](index position) {
        const index at = position * a.channels + c;
        Vec<T> share = left;
        if (a.maximum) {  // the first that equals the maximum takes all
          const auto less_than_it = less(part.load(a.in + at), most);
          share = select(less_than_it, zero, left);
          left = select(less_than_it, left, zero);
        }
        part.store(part.load(b.din + at) + share, b.din + at);
      });
    });
  });
}
