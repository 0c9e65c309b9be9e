// Measures the limit that benchmarks compare with; see ReadOnce in args.h.

template <class T>
void read_once(const ReadOnce<T>& r) {
  constexpr int V = Vec<T>::kLanes, kSums = 8;  // enough to hide the latency of an addition
  Vec<T> sums[kSums];
  LF_UNROLL
  for (int i = 0; i < kSums; ++i) sums[i] = Vec<T>::zero();
  index j = 0;
  for (; j + kSums * V <= r.count; j += kSums * V) {
    LF_UNROLL
    for (int i = 0; i < kSums; ++i) sums[i] = sums[i] + Vec<T>::load(r.x + j + i * V);
  }
  for_vectors<T>(r.count - j,
                 [&](index k, auto part) { sums[0] = sums[0] + part.load(r.x + j + k); });
  LF_UNROLL
  for (int i = 1; i < kSums; ++i) sums[0] = sums[0] + sums[i];
  sums[0].store(r.sums);
}
