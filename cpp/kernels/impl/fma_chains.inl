// Measures the peak that benchmarks compare with; see FmaChains in args.h.

template <class T>
void fma_chains(const FmaChains<T>& f) {
  Vec<T> x[kFmaChains];
  for (int i = 0; i < kFmaChains; ++i)
    x[i] = Vec<T>::set(T(i));  // unequal, or they would be merged
  const Vec<T> a = Vec<T>::set(T(0.999)), b = Vec<T>::set(T(0.001));
  for (index k = 0; k < f.count; ++k) {
    LF_UNROLL
    for (int i = 0; i < kFmaChains; ++i) x[i] = fma(x[i], a, b);
  }
  Vec<T> sum = Vec<T>::zero();
  for (int i = 0; i < kFmaChains; ++i) sum = sum + x[i];
  sum.store(f.sums);
}
